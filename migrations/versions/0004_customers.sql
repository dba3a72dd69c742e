-- Customers: notes, imports and what they did; jobs. Search by grams instead of pairs, and by the first and
-- the last digits of a number.
ALTER TABLE party_bigram RENAME TO party_gram;

ALTER TABLE party_gram RENAME COLUMN bigram TO gram;

ALTER TABLE party_gram RENAME CONSTRAINT pk_party_bigram TO pk_party_gram;

ALTER TABLE party_gram RENAME CONSTRAINT fk_party_bigram_tenant_id TO fk_party_gram_tenant_id;

ALTER TABLE party_gram RENAME CONSTRAINT fk_party_bigram_tenant_id_party_id TO fk_party_gram_tenant_id_party_id;

ALTER INDEX ix_party_bigram_tenant_id_party_id RENAME TO ix_party_gram_tenant_id_party_id;

ALTER TABLE identifier ADD COLUMN reversed TEXT GENERATED ALWAYS AS (reverse(normal)) STORED;

CREATE INDEX ix_identifier_normal_prefix ON identifier (tenant_id, normal text_pattern_ops);

CREATE INDEX ix_identifier_reversed_prefix ON identifier (tenant_id, reversed text_pattern_ops);

CREATE INDEX ix_party_external_ref_prefix ON party (tenant_id, external_ref text_pattern_ops);

CREATE TABLE party_note (
    tenant_id TEXT NOT NULL,
    note_id UUID NOT NULL,
    party_id UUID,
    text TEXT NOT NULL,
    author TEXT DEFAULT '' NOT NULL,
    interaction_id TEXT,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    deleted_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_party_note PRIMARY KEY (tenant_id, note_id),
    CONSTRAINT fk_party_note_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT fk_party_note_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_party_note_tenant_id_party_id_at ON party_note (tenant_id, party_id, at);

ALTER TABLE party_note ENABLE ROW LEVEL SECURITY;

ALTER TABLE party_note FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON party_note USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON party_note TO holdless_app;

CREATE TABLE party_import (
    tenant_id TEXT NOT NULL,
    import_id UUID NOT NULL,
    file_name TEXT DEFAULT '' NOT NULL,
    state TEXT DEFAULT 'read' NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    source JSONB DEFAULT '{}' NOT NULL,
    row_count INTEGER DEFAULT '0' NOT NULL,
    plan JSONB DEFAULT '{}' NOT NULL,
    preview JSONB DEFAULT '{}' NOT NULL,
    counts JSONB DEFAULT '{}' NOT NULL,
    done_row_count INTEGER DEFAULT '0' NOT NULL,
    job_id UUID,
    ended_at TIMESTAMP WITH TIME ZONE,
    undo JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_party_import PRIMARY KEY (tenant_id, import_id),
    CONSTRAINT fk_party_import_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_party_import_tenant_id_made_at ON party_import (tenant_id, made_at);

ALTER TABLE party_import ENABLE ROW LEVEL SECURITY;

ALTER TABLE party_import FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON party_import USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON party_import TO holdless_app;

CREATE TABLE party_import_row (
    tenant_id TEXT NOT NULL,
    import_id UUID NOT NULL,
    ordinal INTEGER NOT NULL,
    party_id UUID NOT NULL,
    action TEXT NOT NULL,
    before JSONB DEFAULT '{}' NOT NULL,
    links JSONB DEFAULT '{}' NOT NULL,
    party_changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_party_import_row PRIMARY KEY (tenant_id, import_id, ordinal),
    CONSTRAINT fk_party_import_row_tenant_id_import_id FOREIGN KEY(tenant_id, import_id) REFERENCES party_import (tenant_id, import_id),
    CONSTRAINT ck_party_import_row_action CHECK (action IN ('created','updated')),
    CONSTRAINT fk_party_import_row_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_party_import_row_tenant_id_party_id ON party_import_row (tenant_id, party_id);

ALTER TABLE party_import_row ENABLE ROW LEVEL SECURITY;

ALTER TABLE party_import_row FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON party_import_row USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON party_import_row TO holdless_app;

CREATE TABLE job (
    tenant_id TEXT NOT NULL,
    job_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT DEFAULT 'queued' NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    done_count BIGINT DEFAULT '0' NOT NULL,
    total_count BIGINT,
    input JSONB DEFAULT '{}' NOT NULL,
    result JSONB DEFAULT '{}' NOT NULL,
    error_id TEXT,
    error_params JSONB DEFAULT '{}' NOT NULL,
    is_cancel_wanted BOOLEAN DEFAULT 'false' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_job PRIMARY KEY (tenant_id, job_id),
    CONSTRAINT ck_job_state CHECK (state IN ('queued','running','done','failed','cancelled')),
    CONSTRAINT fk_job_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE INDEX ix_job_tenant_id_state ON job (tenant_id, state);

ALTER TABLE job ENABLE ROW LEVEL SECURITY;

ALTER TABLE job FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON job USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON job TO holdless_app;
