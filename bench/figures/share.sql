SELECT create_topic('share_topic');
CREATE TABLE share_heap (id bigserial PRIMARY KEY, key text, value text);
-- begin anew with so many jobs on both sides
CREATE PROCEDURE share_fill(jobs int) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM delete_group('share_topic', 'workers'), delete_group('share_topic', 'leases');
    PERFORM delete_records('share_topic', 0, (SELECT next_offset FROM visible_offsets('share_topic')));
    TRUNCATE share_heap;
    INSERT INTO share_topic (key, value) SELECT 'key ' || i, 'a job with the number ' || i FROM generate_series(1, jobs) i;
    INSERT INTO share_heap (key, value) SELECT 'key ' || i, 'a job with the number ' || i FROM generate_series(1, jobs) i;
END $$;
