-- The DEFAULT partitions are locked all at once or not at all. Locked one by one, a reader that has the
-- next and wants the last would wait for us, and we for the reader: a deadlock.
CREATE OR REPLACE FUNCTION ensure_log_partitions(days date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    parents CONSTANT text[] := ARRAY['agent_span', 'contact_attempt', 'event', 'interaction', 'interaction_reason', 'leg', 'offer', 'queue_visit', 'segment'];
    parent text;
    day_wanted date;
    made integer := 0;
    partition_name text;
    lock_taken boolean := false;
    tries integer := 0;
BEGIN
    FOREACH day_wanted IN ARRAY days LOOP
        -- An id with a senseless date goes to the DEFAULT partition, where it alarms.
        CONTINUE WHEN abs(day_wanted - current_date) > 3660;
        FOREACH parent IN ARRAY parents LOOP
            partition_name := parent || '_' || to_char(day_wanted, 'YYYYMMDD');
            CONTINUE WHEN to_regclass(quote_ident(partition_name)) IS NOT NULL;
            IF NOT lock_taken THEN
                PERFORM pg_advisory_xact_lock(1752132708, 1);
                CONTINUE WHEN to_regclass(quote_ident(partition_name)) IS NOT NULL;
                LOOP
                    BEGIN
                        FOR place IN 1 .. array_length(parents, 1) LOOP
                            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE NOWAIT', parents[place] || '_default');
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
                lock_taken := true;
            END IF;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition_name, parent);
            EXECUTE format(
                'WITH moved AS (DELETE FROM %I WHERE day = %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
                parent || '_default', day_wanted, partition_name);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, partition_name, day_wanted, day_wanted + 1);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ensure_log_partitions(date[]) SET search_path = %I, pg_temp', current_schema());
END $$;
