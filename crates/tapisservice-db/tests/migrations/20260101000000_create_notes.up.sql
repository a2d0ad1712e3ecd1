CREATE TABLE notes (
    note_id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    size BIGINT CHECK (size >= 0),
    done BOOLEAN NOT NULL DEFAULT FALSE,
    body BYTEA,
    weight DOUBLE PRECISION,
    created BIGINT NOT NULL,
    UNIQUE (tenant_id, owner, name)
);
