-- What an agent writes before the wrap-up is finished.
CREATE TABLE wrap_up_draft (
    tenant_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    interaction_id TEXT NOT NULL,
    code TEXT,
    reason_id TEXT,
    note TEXT DEFAULT '' NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_wrap_up_draft PRIMARY KEY (tenant_id, agent_id, interaction_id),
    CONSTRAINT fk_wrap_up_draft_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

ALTER TABLE wrap_up_draft ENABLE ROW LEVEL SECURITY;

ALTER TABLE wrap_up_draft FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON wrap_up_draft USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON wrap_up_draft TO holdless_app;
