-- Plain SQL that SQLite and PostgreSQL both take. Times are microseconds since 1970, UTC.

CREATE TABLE bookmarks (
    bookmark_id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    system_id TEXT NOT NULL,
    path TEXT NOT NULL,
    description TEXT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    UNIQUE (tenant_id, owner, name)
);

-- "What does this user have on that system?"
CREATE INDEX bookmarks_by_system ON bookmarks (tenant_id, owner, system_id);

CREATE TABLE bookmark_tags (
    bookmark_id TEXT NOT NULL REFERENCES bookmarks (bookmark_id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (bookmark_id, tag)
);
