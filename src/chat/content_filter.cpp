#include "chat/content_filter.hpp"

#include <utility>

namespace parley::chat {

Result<model::Filtered> ContentFilter::apply(model::Draft draft) const {
    return model::Filtered(std::move(draft));
}

} // namespace parley::chat
