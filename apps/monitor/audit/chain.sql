-- Adds an entry to the chain. The head is locked from here to the end of the transaction, so there is one order of
-- all entries; whoever adds one therefore does so last (triggers on other tables are deferred to the commit).
CREATE OR REPLACE FUNCTION monitor_audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_seq bigint;
    last_hash text;
BEGIN
    SELECT h.seq, h.hash INTO last_seq, last_hash FROM monitor_audithead h WHERE h.id = 1 FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO monitor_audithead (id, seq, hash)
        SELECT 1, coalesce(max(e.seq), 0),
               coalesce((SELECT n.hash FROM monitor_auditentry n ORDER BY n.seq DESC LIMIT 1), repeat('0', 64))
        FROM monitor_auditentry e
        ON CONFLICT (id) DO NOTHING;
        SELECT h.seq, h.hash INTO last_seq, last_hash FROM monitor_audithead h WHERE h.id = 1 FOR UPDATE;
    END IF;
    NEW.seq := last_seq + 1;
    NEW.previous_hash := last_hash;
    -- The database's clock is one for all machines; a replay's would make an audit of another year.
    NEW.at := clock_timestamp();
    NEW.actor := coalesce(nullif(NEW.actor, ''), nullif(current_setting('moondev.actor', true), ''),
                          nullif(current_setting('application_name'), ''), current_user);
    NEW.address := coalesce(nullif(NEW.address, ''), current_setting('moondev.address', true), '');
    NEW.reason := coalesce(nullif(NEW.reason, ''), current_setting('moondev.reason', true), '');
    NEW.subject := coalesce(NEW.subject, '');
    NEW.hash := monitor_audit_hash(NEW);
    UPDATE monitor_audithead SET seq = NEW.seq, hash = NEW.hash WHERE id = 1;
    RETURN NEW;
END $$;

-- The SHA-256 of an entry and of the hash before it. Each field goes in with its length, so that no two entries are
-- written alike; apps/monitor/audit/verify.py computes the same without the database.
CREATE OR REPLACE FUNCTION monitor_audit_hash(entry monitor_auditentry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(string_agg(length(f.value) || ':' || f.value, '' ORDER BY f.place), 'UTF8')), 'hex')
    FROM unnest(ARRAY[
        entry.previous_hash, entry.seq::text,
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        entry.actor, entry.address, entry.action, entry.subject, entry.reason,
        entry.before::text, entry.after::text
    ]) WITH ORDINALITY AS f(value, place)
$$;

CREATE OR REPLACE FUNCTION monitor_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail only grows: % of % is refused', lower(TG_OP), TG_TABLE_NAME;
END $$;

-- Writes what happened to a row of another table. Arguments: its name in the trail; the columns that name the row;
-- columns that say nothing about what people do; columns whose values are nobody's business.
CREATE OR REPLACE FUNCTION monitor_audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    omitted text[] := string_to_array(TG_ARGV[2], ',');
    old_row jsonb := '{}';
    new_row jsonb := '{}';
    whole jsonb;
    hidden text;
BEGIN
    IF TG_OP <> 'INSERT' THEN old_row := to_jsonb(OLD) - omitted; END IF;
    IF TG_OP <> 'DELETE' THEN new_row := to_jsonb(NEW) - omitted; END IF;
    whole := CASE TG_OP WHEN 'DELETE' THEN old_row ELSE new_row END;
    IF TG_OP = 'UPDATE' THEN
        SELECT coalesce(jsonb_object_agg(o.key, o.value), '{}'), coalesce(jsonb_object_agg(o.key, whole -> o.key), '{}')
        INTO old_row, new_row
        FROM jsonb_each(old_row) o WHERE o.value IS DISTINCT FROM whole -> o.key;
        IF old_row = '{}' THEN RETURN NULL; END IF;
    END IF;
    FOREACH hidden IN ARRAY string_to_array(TG_ARGV[3], ',') LOOP
        IF old_row ? hidden THEN old_row := jsonb_set(old_row, ARRAY[hidden], '"hidden"'); END IF;
        IF new_row ? hidden THEN new_row := jsonb_set(new_row, ARRAY[hidden], '"hidden, another"'); END IF;
    END LOOP;
    INSERT INTO monitor_auditentry (actor, address, action, subject, reason, before, after)
    VALUES (
        coalesce(nullif(current_setting('moondev.actor', true), ''), whole ->> 'actor', whole ->> 'approver', ''),
        '',
        TG_ARGV[0] || ' ' || CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END,
        (SELECT string_agg(whole ->> name, ':' ORDER BY place)
         FROM unnest(string_to_array(TG_ARGV[1], ',')) WITH ORDINALITY AS named(name, place)),
        coalesce(whole ->> 'reason', whole ->> 'message', ''),
        old_row, new_row
    );
    RETURN NULL;
END $$;
