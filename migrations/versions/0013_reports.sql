-- Reports: what is asked for, by name, with every version; when they are sent by mail, and each sending.
CREATE TABLE report (
    tenant_id TEXT NOT NULL,
    report_id UUID NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    owner TEXT NOT NULL,
    owner_name TEXT DEFAULT '' NOT NULL,
    sharing TEXT DEFAULT 'private' NOT NULL,
    shared_with JSONB DEFAULT '[]' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_report PRIMARY KEY (tenant_id, report_id),
    CONSTRAINT ck_report_sharing CHECK (sharing IN ('private', 'roles', 'teams', 'all')),
    CONSTRAINT fk_report_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE report_version (
    tenant_id TEXT NOT NULL,
    report_id UUID NOT NULL,
    version INTEGER NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    definition JSONB DEFAULT '{}' NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_report_version PRIMARY KEY (tenant_id, report_id, version),
    CONSTRAINT fk_report_version_tenant_id_report_id FOREIGN KEY(tenant_id, report_id) REFERENCES report (tenant_id, report_id),
    CONSTRAINT fk_report_version_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE report_schedule (
    tenant_id TEXT NOT NULL,
    schedule_id UUID NOT NULL,
    report_id TEXT NOT NULL,
    every TEXT NOT NULL,
    at_minute INTEGER NOT NULL,
    weekday INTEGER,
    month_day INTEGER,
    recipients JSONB DEFAULT '[]' NOT NULL,
    file_format TEXT NOT NULL,
    language TEXT DEFAULT 'en' NOT NULL,
    is_on BOOLEAN DEFAULT true NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE,
    owner TEXT NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_report_schedule PRIMARY KEY (tenant_id, schedule_id),
    CONSTRAINT ck_report_schedule_every CHECK (every IN ('day', 'week', 'month')),
    CONSTRAINT fk_report_schedule_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE report_sending (
    tenant_id TEXT NOT NULL,
    sending_id UUID NOT NULL,
    schedule_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    is_test BOOLEAN DEFAULT false NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    try_count INTEGER DEFAULT 0 NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recipients JSONB DEFAULT '[]' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_report_sending PRIMARY KEY (tenant_id, sending_id),
    CONSTRAINT ck_report_sending_state CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    CONSTRAINT fk_report_sending_tenant_id_schedule_id FOREIGN KEY(tenant_id, schedule_id) REFERENCES report_schedule (tenant_id, schedule_id),
    CONSTRAINT fk_report_sending_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE UNIQUE INDEX uq_report_sending_due ON report_sending (tenant_id, schedule_id, due_at) WHERE NOT is_test;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['report', 'report_version', 'report_schedule', 'report_sending'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_tenant ON %I USING (tenant_id = current_setting(''holdless.tenant'', true)) WITH CHECK (tenant_id = current_setting(''holdless.tenant'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO holdless_app', name);
    END LOOP;
END $$;
