-- The links that show the wall on a TV. A statement ends with a semicolon and an empty line.
CREATE TABLE wall_link (
    tenant_id TEXT NOT NULL,
    link_id UUID NOT NULL,
    token_sha256 BYTEA NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by TEXT DEFAULT '' NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_wall_link PRIMARY KEY (tenant_id, link_id),
    CONSTRAINT ck_wall_link_token CHECK (octet_length(token_sha256) = 32),
    CONSTRAINT fk_wall_link_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE UNIQUE INDEX uq_wall_link_token ON wall_link (tenant_id, token_sha256);

ALTER TABLE wall_link ENABLE ROW LEVEL SECURITY;

ALTER TABLE wall_link FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON wall_link USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON wall_link TO holdless_app;
