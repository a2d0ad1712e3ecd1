CREATE TABLE tags (
    note_id TEXT NOT NULL REFERENCES notes (note_id),
    tag TEXT NOT NULL,
    PRIMARY KEY (note_id, tag)
);
