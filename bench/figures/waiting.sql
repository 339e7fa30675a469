SELECT create_topic('waiting_topic');
