SELECT count(*), sum(length(value)) FROM consume('steady_topic', 'steady', 1000, timeout => '1 s');
