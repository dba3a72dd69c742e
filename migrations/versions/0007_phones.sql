-- Which phone an agent chose to be rung on.
CREATE TABLE agent_phone (
    tenant_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    number TEXT,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    changed_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_agent_phone PRIMARY KEY (tenant_id, agent_id),
    CONSTRAINT fk_agent_phone_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id),
    CONSTRAINT ck_agent_phone_kind CHECK (kind IN ('desk','browser','external')),
    CONSTRAINT ck_agent_phone_number CHECK ((kind = 'external') = (number IS NOT NULL))
);

ALTER TABLE agent_phone ENABLE ROW LEVEL SECURITY;

ALTER TABLE agent_phone FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON agent_phone USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON agent_phone TO holdless_app;
