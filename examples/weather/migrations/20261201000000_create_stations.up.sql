CREATE TABLE stations (
    tenant_id TEXT NOT NULL,
    station_id TEXT NOT NULL,
    name TEXT NOT NULL,
    latitude DOUBLE PRECISION NOT NULL,
    longitude DOUBLE PRECISION NOT NULL,
    system_id TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, station_id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE observations (
    tenant_id TEXT NOT NULL,
    station_id TEXT NOT NULL,
    observed BIGINT NOT NULL,
    celsius DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (tenant_id, station_id, observed),
    FOREIGN KEY (tenant_id, station_id) REFERENCES stations (tenant_id, station_id) ON DELETE CASCADE
);

CREATE INDEX observations_by_age ON observations (observed);
