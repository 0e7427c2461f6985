-- State, the outbox, and who relays it. Names in braces are those that the component's metadata gives.

CREATE TABLE {item} (
    key text COLLATE "C" PRIMARY KEY,
    value text NOT NULL,
    etag uuid NOT NULL,
    expires timestamptz
) WITH (fillfactor = 80);

CREATE INDEX ON {item} (expires) WHERE expires IS NOT NULL;

-- A row's id is taken after the locks of its transaction's items: the order by id is the order of their changes.
-- `refused` says why no pub/sub will ever take it: then it is kept for people.
CREATE TABLE {outbox} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pubsub text NOT NULL,
    topic text NOT NULL,
    key text,
    attributes text NOT NULL,
    expires bigint,
    content bytea NOT NULL,
    refused text
);

CREATE TABLE {lease} (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    until timestamptz NOT NULL
);

-- All changes and all messages, or nothing: false, or SD409 where something was written before, is a change whose
-- condition does not hold. `news` is null for a delete. `conditions`: 0 none, 1 absent, 2 the tag matches.
-- Changes come sorted by key, so that two transactions never wait for each other.
CREATE FUNCTION {commit}(
    keys text[], news text[], conditions smallint[], tags uuid[], lives bigint[],
    pubsubs text[], topics text[], message_keys text[], attributes text[], message_expires bigint[], contents bytea[],
    channel text, word text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    change record;
    written boolean := false;
    refused boolean;
BEGIN
    FOR change IN
        SELECT c.key, c.value, c.condition, c.tag, now() + c.life * interval '1 second' AS expires
        FROM unnest(keys, news, conditions, tags, lives) AS c (key, value, condition, tag, life)
    LOOP
        IF change.value IS NULL THEN
            DELETE FROM {item} AS i WHERE i.key = change.key
                AND (change.condition = 0 OR (i.etag = change.tag AND (i.expires IS NULL OR i.expires > now())));
            refused := NOT FOUND AND change.condition <> 0;
        ELSIF change.condition = 0 THEN
            INSERT INTO {item} AS i VALUES (change.key, change.value, gen_random_uuid(), change.expires)
                ON CONFLICT (key) DO UPDATE
                SET value = excluded.value, etag = excluded.etag, expires = excluded.expires;
            refused := false;
        ELSIF change.condition = 1 THEN
            INSERT INTO {item} AS i VALUES (change.key, change.value, gen_random_uuid(), change.expires)
                ON CONFLICT (key) DO UPDATE
                SET value = excluded.value, etag = excluded.etag, expires = excluded.expires
                WHERE i.expires <= now();
            refused := NOT FOUND;
        ELSE
            UPDATE {item} AS i SET value = change.value, etag = gen_random_uuid(), expires = change.expires
                WHERE i.key = change.key AND i.etag = change.tag AND (i.expires IS NULL OR i.expires > now());
            refused := NOT FOUND;
        END IF;
        IF refused THEN
            IF written THEN
                RAISE EXCEPTION 'an item is not as the writer believed' USING ERRCODE = 'SD409';
            END IF;
            RETURN false;
        END IF;
        written := true;
    END LOOP;
    IF cardinality(contents) > 0 THEN
        INSERT INTO {outbox} (pubsub, topic, key, attributes, expires, content)
            SELECT m.pubsub, m.topic, m.key, m.attributes, m.expires, m.content
            FROM unnest(pubsubs, topics, message_keys, attributes, message_expires, contents) WITH ORDINALITY
                AS m (pubsub, topic, key, attributes, expires, content, number)
            ORDER BY m.number;
        IF channel IS NOT NULL THEN
            PERFORM pg_notify(channel, word);
        END IF;
    END IF;
    RETURN true;
END $$;

-- Removes what was relayed, and gives what comes next to whoever holds the lease, or can take it.
-- One row at least: `held` is false while another holds it, for `remaining` milliseconds; `id` is null without a message.
CREATE FUNCTION {relay}(me uuid, lasts bigint, relayed bigint[], most bigint, most_bytes bigint)
RETURNS TABLE (
    held boolean, remaining bigint, id bigint, pubsub text, topic text, key text, attributes text, expires bigint,
    content bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF cardinality(relayed) > 0 THEN
        DELETE FROM {outbox} AS o WHERE o.id = ANY (relayed);
    END IF;
    IF NOT EXISTS (SELECT FROM {outbox} AS o WHERE o.refused IS NULL) THEN
        RETURN QUERY SELECT true, 0::bigint, null::bigint, null, null, null, null, null::bigint, null::bytea;
        RETURN;
    END IF;
    INSERT INTO {lease} AS l VALUES ('outbox', me, clock_timestamp() + lasts * interval '1 millisecond')
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
        WHERE l.holder = me OR l.until <= clock_timestamp();
    IF NOT FOUND THEN
        RETURN QUERY
            SELECT false, ceil(extract(epoch FROM l.until - clock_timestamp()) * 1000)::bigint,
                null::bigint, null, null, null, null, null::bigint, null::bytea
            FROM {lease} AS l WHERE l.name = 'outbox';
        RETURN;
    END IF;
    RETURN QUERY
        SELECT true, lasts, r.id, r.pubsub, r.topic, r.key, r.attributes, r.expires, r.content
        FROM (
            SELECT o.*, sum(octet_length(o.content)) OVER (ORDER BY o.id) - octet_length(o.content) AS before
            FROM (SELECT * FROM {outbox} AS q WHERE q.refused IS NULL ORDER BY q.id LIMIT most) AS o
        ) AS r
        WHERE r.before < most_bytes
        ORDER BY r.id;
END $$;
