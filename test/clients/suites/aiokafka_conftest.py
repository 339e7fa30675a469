

# ---- the same fixtures for a broker that runs already, at KAFKA_URI ----

@pytest.fixture(scope="session")
def kafka_server():
    host, port = os.environ["KAFKA_URI"].split(":")
    yield KafkaServer(host, int(port), 0, 0, 0, None)


@pytest.fixture(scope="session")
def ssl_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ssl_cert")


@pytest.fixture(scope="class")
def setup_test_class(request, loop, kafka_server, ssl_folder):
    request.cls.loop = loop
    request.cls.kafka_host = kafka_server.host
    request.cls.kafka_port = kafka_server.port
    request.cls.hosts = kafka_server.hosts
    request.cls.ssl_folder = ssl_folder
    request.cls.kafka_version = os.environ["KAFKA_VERSION"]
    request.cls.acl_manager = request.cls.kerberos_utils = request.cls.kafka_config = None
