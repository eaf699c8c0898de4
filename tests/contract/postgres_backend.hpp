// PostgresBackend: the cluster's store, a directory and two shards, with a sequencer over each
// shard as its worker has it; here a commit writes into the shards at once, so that readers are
// never behind. Threading and owner as of any Backend.
#pragma once

#include "tests/contract/backend.hpp"

namespace parley::contract {

std::unique_ptr<Backend> make_postgres(const ports::Clock& clock);

} // namespace parley::contract
