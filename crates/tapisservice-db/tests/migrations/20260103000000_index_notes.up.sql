-- no-transaction
CREATE INDEX notes_by_size ON notes (tenant_id, owner, size);
