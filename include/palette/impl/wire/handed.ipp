// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/wire/handed.hpp>
#include <palette/impl/wire/schema.hpp>
#include <palette/impl/wire/shapes.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

namespace shapes {

template <class T>
inline constexpr Field handed_paging_fields[] = {member<&HandedPage<T>::next>("continue")};
template <class T>
inline constexpr Shape handed_paging{handed_paging_fields<T>};

inline constexpr Field handed_keys_fields[] = {
    list<&HandedPage<ApiKey>::items>("items", key),
    group("listmeta", handed_paging<ApiKey>),
};
inline constexpr Shape handed_keys{handed_keys_fields};

inline constexpr Field handed_users_fields[] = {
    list<&HandedPage<User>::items>("items", user),
    group("listmeta", handed_paging<User>),
};
inline constexpr Shape handed_users{handed_users_fields};

}  // namespace shapes

PALETTE_KEYS_INLINE const Shape& Document<HandedPage<ApiKey>>::shape() noexcept {
    return shapes::handed_keys;
}
PALETTE_KEYS_INLINE const Shape& Document<HandedPage<User>>::shape() noexcept {
    return shapes::handed_users;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire
