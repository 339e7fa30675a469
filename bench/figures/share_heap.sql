WITH taken AS (
    SELECT id FROM share_heap ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
), deleted AS (
    DELETE FROM share_heap h USING taken t WHERE h.id = t.id RETURNING h.value
)
SELECT max(value) FROM deleted;
