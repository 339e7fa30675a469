SELECT produce('segments_topic', 'beside')
