\set key random(1, 100000)
SELECT produce('compacted_1', lpad(:key::text, 10, '0'), '{"item": "book", "price": 10.99, "customer": 4711}..........................................................................................');
