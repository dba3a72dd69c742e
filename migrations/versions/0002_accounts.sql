-- Accounts, sessions, one-time links. A statement ends with a semicolon and an empty line.
CREATE TABLE account (
    tenant_id TEXT NOT NULL,
    account_id UUID NOT NULL,
    login TEXT NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    role TEXT NOT NULL CONSTRAINT ck_account_role CHECK (role IN ('agent','supervisor','planner','administrator')),
    agent_id TEXT,
    team_ids TEXT[] DEFAULT '{}' NOT NULL,
    password_hash TEXT,
    language TEXT DEFAULT '' NOT NULL,
    theme TEXT DEFAULT 'system' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    last_sign_in_at TIMESTAMP WITH TIME ZONE,
    failed_count INTEGER DEFAULT '0' NOT NULL,
    locked_until_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_account PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT ck_account_login CHECK (login ~ '^[^[:space:][:cntrl:]]{1,64}$'),
    CONSTRAINT ck_account_theme CHECK (theme IN ('system','light','dark')),
    CONSTRAINT ck_account_agent CHECK (role <> 'agent' OR agent_id IS NOT NULL),
    CONSTRAINT fk_account_tenant_id_agent_id FOREIGN KEY(tenant_id, agent_id) REFERENCES agent (tenant_id, agent_id),
    CONSTRAINT fk_account_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_account_tenant_id_changed_at ON account (tenant_id, changed_at);

CREATE UNIQUE INDEX uq_account_agent ON account (tenant_id, agent_id) WHERE disabled_at IS NULL;

CREATE UNIQUE INDEX uq_account_login ON account (tenant_id, login);

CREATE TABLE web_session (
    tenant_id TEXT NOT NULL,
    session_id UUID NOT NULL,
    token_sha256 BYTEA NOT NULL,
    account_id UUID NOT NULL,
    began_by TEXT NOT NULL CONSTRAINT ck_web_session_began_by CHECK (began_by IN ('password','link')),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    user_agent TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_web_session PRIMARY KEY (tenant_id, session_id),
    CONSTRAINT fk_web_session_tenant_id_account_id FOREIGN KEY(tenant_id, account_id) REFERENCES account (tenant_id, account_id),
    CONSTRAINT fk_web_session_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_web_session_tenant_id_account_id ON web_session (tenant_id, account_id);

CREATE INDEX ix_web_session_tenant_id_expires_at ON web_session (tenant_id, expires_at);

CREATE UNIQUE INDEX uq_web_session_token ON web_session (tenant_id, token_sha256);

CREATE TABLE sign_in_link (
    tenant_id TEXT NOT NULL,
    link_sha256 BYTEA NOT NULL,
    purpose TEXT NOT NULL CONSTRAINT ck_sign_in_link_purpose CHECK (purpose IN ('first','password','session')),
    account_id UUID,
    made_by TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sign_in_link PRIMARY KEY (tenant_id, link_sha256),
    CONSTRAINT ck_sign_in_link_account CHECK ((purpose = 'first') = (account_id IS NULL)),
    CONSTRAINT fk_sign_in_link_tenant_id_account_id FOREIGN KEY(tenant_id, account_id) REFERENCES account (tenant_id, account_id),
    CONSTRAINT fk_sign_in_link_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_sign_in_link_tenant_id_account_id ON sign_in_link (tenant_id, account_id);

CREATE INDEX ix_sign_in_link_tenant_id_expires_at ON sign_in_link (tenant_id, expires_at);

ALTER TABLE account ENABLE ROW LEVEL SECURITY;

ALTER TABLE account FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON account USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON account TO holdless_app;

ALTER TABLE web_session ENABLE ROW LEVEL SECURITY;

ALTER TABLE web_session FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON web_session USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON web_session TO holdless_app;

ALTER TABLE sign_in_link ENABLE ROW LEVEL SECURITY;

ALTER TABLE sign_in_link FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON sign_in_link USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_link TO holdless_app;

