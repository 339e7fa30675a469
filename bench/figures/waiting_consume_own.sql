SELECT count(*) FROM consume('waiting_topic', 'own ' || :client_id, timeout => '1 s');
