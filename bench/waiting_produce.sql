SELECT produce('waiting_topic', 'key'::text, repeat('v', 100));
