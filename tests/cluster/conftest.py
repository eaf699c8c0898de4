def pytest_configure(config):
    config.addinivalue_line("markers", "embedded_only(reason): of the wire tests whose helpers are used here")
