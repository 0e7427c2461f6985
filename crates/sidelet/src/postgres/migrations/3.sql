-- A way to a broker that is away holds up no other.

-- As the function of five parameters, which replicas of the release before still call, but for messages whose component
-- and topic are among the closed ones: these stay. `remaining` is 0 where nothing waits at all.
CREATE FUNCTION {relay}(
    me uuid, lasts bigint, relayed bigint[], most bigint, most_bytes bigint, closed_pubsubs text[], closed_topics text[]
) RETURNS TABLE (
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
            FROM (
                SELECT * FROM {outbox} AS q
                WHERE q.refused IS NULL AND NOT EXISTS (
                    SELECT FROM unnest(closed_pubsubs, closed_topics) AS c (pubsub, topic)
                    WHERE c.pubsub = q.pubsub AND c.topic = q.topic
                )
                ORDER BY q.id LIMIT most
            ) AS o
        ) AS r
        WHERE r.before < most_bytes
        ORDER BY r.id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT true, lasts, null::bigint, null, null, null, null, null::bigint, null::bytea;
    END IF;
END $$;
