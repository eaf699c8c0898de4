// Rows of the tables messages, events and rooms as values of the model: written by the event store,
// read by it and by the readers. The columns stand in ports/rows.hpp.
//
// Threading: pure functions of a Query.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "ports/rows.hpp"

namespace parley::sqlite {

using ports::EventKind, ports::kMessageColumns, ports::kRoomColumns;
using ports::read_message, ports::read_room;

} // namespace parley::sqlite
