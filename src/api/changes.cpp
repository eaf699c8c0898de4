#include "api/changes.hpp"

namespace parley::api {

Task<Result<service::DeliveryRef>> submit(service::Rooms& rooms, Result<model::Draft> draft) {
    if (!draft) co_return std::move(draft).error();
    PARLEY_CO_TRY(service::DeliveryRef delivery, co_await rooms.submit_and_wait(std::move(*draft)));
    if (delivery->outcome.error) co_return *delivery->outcome.error;
    co_return delivery;
}

} // namespace parley::api
