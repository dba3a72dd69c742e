DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'holdless_report') THEN
        GRANT SELECT ON log_gap TO holdless_report;
    END IF;
END $$;
