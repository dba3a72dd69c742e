CREATE TABLE settled_call (
    tenant_id TEXT NOT NULL,
    settled_id UUID NOT NULL,
    interaction_id TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    settled_by TEXT DEFAULT '' NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    undone_by TEXT DEFAULT '' NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_settled_call PRIMARY KEY (tenant_id, settled_id),
    CONSTRAINT fk_settled_call_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_settled_call_tenant_id_interaction_id ON settled_call (tenant_id, interaction_id);

CREATE UNIQUE INDEX uq_settled_call_in_force ON settled_call (tenant_id, interaction_id) WHERE undone_at IS NULL;

ALTER TABLE settled_call ENABLE ROW LEVEL SECURITY;

ALTER TABLE settled_call FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON settled_call USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON settled_call TO holdless_app;
