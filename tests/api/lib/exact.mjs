// exact.mjs - JSON with the text of its numbers: 1.0 and 1.00 differ. Numbers become strings
// marked with U+0001; the input is JSON that JSON.parse has accepted.
export function parseExact(text) {
  let out = '';
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inString) {
      out += c;
      if (c === '\\') out += text[++i];
      else if (c === '"') inString = false;
    } else if (c === '"') {
      inString = true;
      out += c;
    } else if (c === '-' || (c >= '0' && c <= '9')) {
      let end = i;
      while (end < text.length && /[-+.eE0-9]/.test(text[end])) end++;
      out += `"\\u0001${text.slice(i, end)}"`;
      i = end - 1;
    } else {
      out += c;
    }
  }
  return JSON.parse(out);
}

// A resource without what belongs to its version.
export function content(resource) {
  const { meta, ...rest } = resource;
  if (meta === undefined) return rest;
  const { versionId, lastUpdated, _versionId, _lastUpdated, ...kept } = meta;
  return Object.keys(kept).length > 0 ? { ...rest, meta: kept } : rest;
}
