// ContentFilter: what may be stored and shown. It is the only way from Draft to Filtered. With no
// word list it lets everything through. Threading: const, any core.
#pragma once

#include "base/result.hpp"
#include "model/stages.hpp"

namespace parley::chat {

class ContentFilter {
public:
    Result<model::Filtered> apply(model::Draft draft) const;
};

} // namespace parley::chat
