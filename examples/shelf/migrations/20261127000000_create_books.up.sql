-- The books of all users, on the shelves that they name.

CREATE TABLE books (
    tenant_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    book_id BIGINT NOT NULL,
    title TEXT NOT NULL,
    shelf TEXT NOT NULL,
    system_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, owner, book_id),
    UNIQUE (tenant_id, owner, title)
);
