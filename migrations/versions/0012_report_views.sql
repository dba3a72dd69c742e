-- Who reads the views of the schema report: a login of yours becomes a member of holdless_report.
-- It sees what figures are counted of, under row-level security, and no caller's number or name.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'holdless_report') THEN
        CREATE ROLE holdless_report NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
    NULL; -- another database of this server made it at the same moment, or the views are for the app alone
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'holdless_report') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO holdless_report', current_schema());
        GRANT SELECT ON queue_visit, segment, offer, queue TO holdless_report;
        GRANT SELECT (tenant_id, day, interaction_id, entry_point, party_id, wrap_up_code, grade, started_at)
            ON interaction TO holdless_report;
    END IF;
END $$;
