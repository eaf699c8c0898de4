#include "adapters/postgres/migrations.hpp"

namespace parley::postgres {

constinit const Schema kDirectorySteps{"directory", {}};

} // namespace parley::postgres
