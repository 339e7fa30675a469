SELECT max(value) FROM consume_shared('share_topic', 'workers', :batch);
