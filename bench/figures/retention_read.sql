SELECT FROM segments_topic LIMIT 1
