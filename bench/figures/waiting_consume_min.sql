SELECT count(*) FROM consume('waiting_topic', 'min', timeout => '1 s', min_records => 100);
