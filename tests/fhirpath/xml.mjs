// xml.mjs - FHIR XML to FHIR JSON for the inputs of the official suite, by the snapshots of the
// definitions package. Only for tests: it trusts its input.
import { existsSync, readFileSync } from 'node:fs';

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescape = (text) =>
  text.replace(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, name) => {
    if (name[0] !== '#') return ENTITIES[name] ?? whole;
    return String.fromCodePoint(parseInt(name.slice(name[1] === 'x' ? 2 : 1), name[1] === 'x' ? 16 : 10));
  });

// {name, attributes, children, text, start, end}; offsets keep the source of XHTML.
export function parseXml(source) {
  const root = { name: '', children: [], attributes: {}, text: '' };
  const stack = [root];
  const pattern = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|[^<]+/g;
  for (const match of source.matchAll(pattern)) {
    const [whole, cdata, close, name, attributes, empty] = match;
    const top = stack[stack.length - 1];
    if (cdata !== undefined) top.text += cdata;
    else if (name === undefined) {
      if (!whole.startsWith('<')) top.text += unescape(whole);
    } else if (close) {
      top.end = match.index + whole.length;
      stack.pop();
    } else {
      const node = { name, children: [], attributes: {}, text: '', start: match.index };
      for (const [, key, a, b] of attributes.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g))
        node.attributes[key] = unescape(a ?? b);
      node.end = match.index + whole.length;
      top.children.push(node);
      if (!empty) stack.push(node);
    }
  }
  return root.children[0];
}

class Definitions {
  constructor(folder) {
    this.folder = folder;
    this.types = new Map();
  }

  // element path -> {type, array, reference} of a type's snapshot
  of(type) {
    if (!this.types.has(type)) {
      const file = `${this.folder}/StructureDefinition-${type}.json`;
      const elements = new Map();
      if (existsSync(file))
        for (const e of JSON.parse(readFileSync(file, 'utf8')).snapshot.element)
          elements.set(e.path, e);
      this.types.set(type, elements);
    }
    return this.types.get(type);
  }

  // The element `name` below `path` of `type`, as {path, type, array}.
  find(type, path, name) {
    const elements = this.of(type);
    const plain = elements.get(`${path}.${name}`);
    if (plain) {
      const array = plain.base ? plain.base.max !== '1' : plain.max !== '1';
      if (plain.contentReference) {
        const target = plain.contentReference.replace(/^.*#/, '');
        return { root: type, path: target, array };
      }
      const code = plain.type?.[0].code ?? 'string';
      const inner = code === 'BackboneElement' || code === 'Element';
      const simple = code.startsWith('http://hl7.org/fhirpath/System.') ? 'string' : code;
      return inner ? { root: type, path: `${path}.${name}`, array } : { root: simple, path: simple, array };
    }
    for (const e of elements.values()) {
      if (!e.path.startsWith(`${path}.`) || !e.path.endsWith('[x]')) continue;
      const base = e.path.slice(path.length + 1, -3);
      const choice = e.type.find((t) => base + t.code[0].toUpperCase() + t.code.slice(1) === name);
      if (choice) return { root: choice.code, path: choice.code, array: false };
    }
    throw new Error(`${path} has no ${name}`);
  }
}

const scalar = (type, text) => {
  if (type === 'boolean') return text === 'true';
  if (['integer', 'unsignedInt', 'positiveInt'].includes(type)) return Number(text);
  return type === 'decimal' ? { decimal: text } : text;
};

export class Converter {
  constructor(folder) {
    this.definitions = new Definitions(folder);
  }

  resource(node) {
    return { resourceType: node.name, ...this.members(node, node.name, node.name) };
  }

  members(node, root, path) {
    const out = {};
    if (node.attributes.id !== undefined) out.id = node.attributes.id;
    if (path === 'Extension' && node.attributes.url !== undefined) out.url = node.attributes.url;
    for (const child of node.children) {
      const found = this.definitions.find(root, path, child.name);
      this.add(out, child, found);
    }
    return out;
  }

  add(out, child, found) {
    const { value, extension } = this.element(child, found);
    if (!found.array) {
      if (value !== undefined) out[child.name] = value;
      if (extension) out[`_${child.name}`] = extension;
      return;
    }
    const values = (out[child.name] ??= []);
    values.push(value ?? null);
    const side = `_${child.name}`;
    if (extension || out[side]) {
      out[side] ??= [];
      while (out[side].length < values.length - 1) out[side].push(null);
      out[side].push(extension ?? null);
    }
  }

  element(child, found) {
    if (found.root === 'xhtml') return { value: this.source.slice(child.start, child.end) };
    if (found.root === 'Resource') return { value: this.resource(child.children[0]) };
    if (!/^[a-z]/.test(found.root)) return { value: this.members(child, found.root, found.path) };
    const extension = {};
    if (child.attributes.id !== undefined) extension.id = child.attributes.id;
    const inner = child.children.filter((c) => c.name === 'extension');
    if (inner.length) extension.extension = inner.map((c) => this.members(c, 'Extension', 'Extension'));
    return {
      value: child.attributes.value === undefined ? undefined : scalar(found.root, child.attributes.value),
      extension: Object.keys(extension).length ? extension : undefined,
    };
  }

  // JSON text; decimals keep theirs.
  convert(source) {
    this.source = source;
    const json = JSON.stringify(this.resource(parseXml(source)));
    return json.replace(/\{"decimal":"([^"]*)"\}/g, '$1');
  }
}
