-- What a note holds beside its text, too long for it: the answer of a question that was asked for later.
-- In pieces, and gone with its note.
CREATE TABLE note_file (
    name bytea NOT NULL REFERENCES note ON DELETE CASCADE, piece int4 NOT NULL, bytes bytea NOT NULL,
    PRIMARY KEY (name, piece));
