-- Plans: forecasts with what they were made from, and their intervals.
CREATE TABLE forecast_run (
    tenant_id TEXT NOT NULL,
    run_id UUID NOT NULL,
    display_name TEXT DEFAULT '' NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    job_id UUID,
    again_of UUID,
    source JSONB DEFAULT '{}' NOT NULL,
    parameters JSONB DEFAULT '{}' NOT NULL,
    series JSONB,
    overlays JSONB DEFAULT '[]' NOT NULL,
    outcome JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_forecast_run PRIMARY KEY (tenant_id, run_id),
    CONSTRAINT fk_forecast_run_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

ALTER TABLE forecast_run ENABLE ROW LEVEL SECURITY;

ALTER TABLE forecast_run FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON forecast_run USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON forecast_run TO holdless_app;

CREATE TABLE forecast_interval (
    tenant_id TEXT NOT NULL,
    run_id UUID NOT NULL,
    start_at TIMESTAMP WITH TIME ZONE NOT NULL,
    mean DOUBLE PRECISION NOT NULL,
    p10 DOUBLE PRECISION NOT NULL,
    p50 DOUBLE PRECISION NOT NULL,
    p90 DOUBLE PRECISION NOT NULL,
    aht_s DOUBLE PRECISION,
    CONSTRAINT pk_forecast_interval PRIMARY KEY (tenant_id, run_id, start_at),
    CONSTRAINT fk_forecast_interval_tenant_id_run_id FOREIGN KEY(tenant_id, run_id) REFERENCES forecast_run (tenant_id, run_id),
    CONSTRAINT fk_forecast_interval_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

ALTER TABLE forecast_interval ENABLE ROW LEVEL SECURITY;

ALTER TABLE forecast_interval FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON forecast_interval USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON forecast_interval TO holdless_app;
