// A change of a room, handed to the log and waited for. Threading: its core.
#pragma once

#include "service/rooms.hpp"

namespace parley::api {

// The outcome of a draft; its refusal, or that of the composer, as the error.
Task<Result<service::DeliveryRef>> submit(service::Rooms& rooms, Result<model::Draft> draft);

} // namespace parley::api
