SELECT create_topic('load_topic');
