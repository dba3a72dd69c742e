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

-- What was shown to whom, and whether it was seen.
CREATE TABLE pop (
    tenant_id TEXT NOT NULL,
    pop_id BIGINT NOT NULL,
    interaction_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    queue_id TEXT,
    outcome TEXT NOT NULL,
    method TEXT NOT NULL,
    confidence INTEGER NOT NULL,
    party_id UUID,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    acked_at TIMESTAMP WITH TIME ZONE,
    answered_at TIMESTAMP WITH TIME ZONE,
    shown_before_answer BOOLEAN,
    ended_at TIMESTAMP WITH TIME ZONE,
    end_reason TEXT,
    CONSTRAINT pk_pop PRIMARY KEY (tenant_id, pop_id),
    CONSTRAINT fk_pop_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_pop_tenant_id_agent_id_made_at ON pop (tenant_id, agent_id, made_at);

CREATE INDEX ix_pop_tenant_id_interaction_id ON pop (tenant_id, interaction_id);

ALTER TABLE pop ENABLE ROW LEVEL SECURITY;

ALTER TABLE pop FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON pop USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON pop TO holdless_app;
