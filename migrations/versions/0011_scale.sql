-- What became of a participation stands with its offer, so that figures need no segments.
ALTER TABLE offer
    ADD COLUMN talk_ended_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN wrap_up_ended_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN talk_ms BIGINT DEFAULT '0' NOT NULL,
    ADD COLUMN hold_ms BIGINT DEFAULT '0' NOT NULL,
    ADD COLUMN wrap_up_ms BIGINT DEFAULT '0' NOT NULL;

-- The owner sees all tenants' rows while this migration alone has the tables.
ALTER TABLE offer NO FORCE ROW LEVEL SECURITY;

ALTER TABLE segment NO FORCE ROW LEVEL SECURITY;

ALTER TABLE interaction NO FORCE ROW LEVEL SECURITY;

WITH part AS (
    SELECT tenant_id, day, interaction_id, track,
        max(ended_at) FILTER (WHERE kind IN ('talk', 'hold', 're_attach')) AS talk_ended_at,
        max(ended_at) FILTER (WHERE kind = 'wrap_up') AS wrap_up_ended_at,
        bool_or(kind IN ('talk', 'hold', 're_attach') AND ended_at IS NULL) AS is_talking,
        coalesce(sum(round(extract(epoch FROM ended_at - started_at) * 1000)) FILTER (WHERE kind = 'talk'), 0) AS talk_ms,
        coalesce(sum(round(extract(epoch FROM ended_at - started_at) * 1000)) FILTER (WHERE kind = 'hold'), 0) AS hold_ms,
        coalesce(sum(round(extract(epoch FROM ended_at - started_at) * 1000)) FILTER (WHERE kind = 'wrap_up'), 0) AS wrap_up_ms
    FROM segment WHERE track <> 'customer'
    GROUP BY tenant_id, day, interaction_id, track
)
UPDATE offer SET
    talk_ended_at = CASE WHEN coalesce(part.is_talking, false) THEN NULL ELSE coalesce(part.talk_ended_at, offer.ended_at) END,
    wrap_up_ended_at = part.wrap_up_ended_at,
    talk_ms = coalesce(part.talk_ms, 0), hold_ms = coalesce(part.hold_ms, 0), wrap_up_ms = coalesce(part.wrap_up_ms, 0)
FROM offer AS same
LEFT JOIN part ON part.tenant_id = same.tenant_id AND part.day = same.day
    AND part.interaction_id = same.interaction_id AND part.track = same.agent_id || '#' || same.attempt
WHERE offer.outcome = 'answered' AND same.tenant_id = offer.tenant_id AND same.day = offer.day
    AND same.interaction_id = offer.interaction_id AND same.attempt = offer.attempt;

CREATE TABLE rollup_day (
    tenant_id TEXT NOT NULL,
    day DATE NOT NULL,
    version BIGINT DEFAULT '0' NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    rolled_version BIGINT,
    form INTEGER,
    thresholds JSONB DEFAULT '{}' NOT NULL,
    rolled_at TIMESTAMP WITH TIME ZONE,
    log_dropped_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_rollup_day PRIMARY KEY (tenant_id, day),
    CONSTRAINT fk_rollup_day_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
) WITH (fillfactor = 50);

CREATE TABLE rollup_cell (
    tenant_id TEXT NOT NULL,
    view TEXT NOT NULL,
    grain TEXT NOT NULL,
    day DATE NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    queue_id TEXT DEFAULT '' NOT NULL,
    entry_point TEXT DEFAULT '' NOT NULL,
    agent_id TEXT DEFAULT '' NOT NULL,
    kind TEXT NOT NULL,
    exit TEXT DEFAULT '' NOT NULL,
    facts BIGINT NOT NULL,
    first_ms BIGINT NOT NULL,
    second_ms BIGINT NOT NULL,
    longest_ms BIGINT NOT NULL,
    within BIGINT NOT NULL,
    is_back_filled BOOLEAN NOT NULL,
    buckets INTEGER[],
    bucket_facts BIGINT[],
    CONSTRAINT pk_rollup_cell PRIMARY KEY (tenant_id, view, grain, day, at, queue_id, entry_point, agent_id, kind, exit),
    CONSTRAINT fk_rollup_cell_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE log_gap (
    tenant_id TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    cause TEXT NOT NULL,
    lost_count BIGINT DEFAULT '0' NOT NULL,
    witnessed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_log_gap PRIMARY KEY (tenant_id, started_at, cause),
    CONSTRAINT fk_log_gap_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

-- Every day of the log that there is waits to be rolled up.
INSERT INTO rollup_day (tenant_id, day)
SELECT DISTINCT interaction.tenant_id, day FROM interaction JOIN tenant USING (tenant_id);

ALTER TABLE offer FORCE ROW LEVEL SECURITY;

ALTER TABLE segment FORCE ROW LEVEL SECURITY;

ALTER TABLE interaction FORCE ROW LEVEL SECURITY;

ALTER TABLE rollup_day ENABLE ROW LEVEL SECURITY;

ALTER TABLE rollup_day FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON rollup_day USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON rollup_day TO holdless_app;

ALTER TABLE rollup_cell ENABLE ROW LEVEL SECURITY;

ALTER TABLE rollup_cell FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON rollup_cell USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON rollup_cell TO holdless_app;

ALTER TABLE log_gap ENABLE ROW LEVEL SECURITY;

ALTER TABLE log_gap FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON log_gap USING (tenant_id = current_setting('holdless.tenant', true))
    WITH CHECK (tenant_id = current_setting('holdless.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON log_gap TO holdless_app;

-- Drops the partitions of one day of the log, all or none, and returns how many. Never the present ones. Like
-- the making of partitions it takes all its locks at once or none, so that it waits for no reader in a circle.
CREATE FUNCTION drop_log_partitions(day_gone date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    parents CONSTANT text[] := ARRAY['agent_span', 'contact_attempt', 'event', 'interaction', 'interaction_reason', 'leg', 'offer', 'queue_visit', 'segment'];
    parent text;
    partition_name text;
    gone text[] := '{}';
    tries integer := 0;
BEGIN
    IF day_gone >= (now() AT TIME ZONE 'UTC')::date - 1 THEN
        RAISE EXCEPTION 'the partitions of the present are never dropped';
    END IF;
    PERFORM pg_advisory_xact_lock(1752132708, 1);
    FOREACH parent IN ARRAY parents LOOP
        partition_name := parent || '_' || to_char(day_gone, 'YYYYMMDD');
        IF to_regclass(quote_ident(partition_name)) IS NOT NULL THEN
            gone := gone || partition_name;
        END IF;
    END LOOP;
    IF gone = '{}' THEN
        RETURN 0;
    END IF;
    LOOP
        BEGIN
            FOREACH parent IN ARRAY parents LOOP
                EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE NOWAIT', parent);
                EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE NOWAIT', parent || '_default');
            END LOOP;
            FOREACH partition_name IN ARRAY gone LOOP
                EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE NOWAIT', partition_name);
            END LOOP;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN  -- those that were taken are free again
            tries := tries + 1;
            IF tries > 1000 THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(0.02);
        END;
    END LOOP;
    FOREACH partition_name IN ARRAY gone LOOP
        EXECUTE format('DROP TABLE %I', partition_name);
    END LOOP;
    RETURN array_length(gone, 1);
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION drop_log_partitions(date) SET search_path = %I, pg_temp', current_schema());
END $$;

REVOKE ALL ON FUNCTION drop_log_partitions(date) FROM PUBLIC;
