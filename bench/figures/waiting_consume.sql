SELECT count(*) FROM consume('waiting_topic', 'one', timeout => '1 s');
