// SPDX-License-Identifier: BSD-3-Clause
#include "base/lazy_array.hpp"

namespace tw {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t rounded(std::size_t bytes) {
    return (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

}  // namespace

void* reserve_region(std::size_t bytes, Backing backing) {
    const std::size_t length = rounded(bytes);
    constexpr int kProtection = PROT_READ | PROT_WRITE;
    constexpr int kBase = MAP_PRIVATE | MAP_ANONYMOUS;
    if (backing == Backing::lazy) {
        void* region = mmap(nullptr, length, kProtection, kBase | MAP_NORESERVE, -1, 0);
        return region == MAP_FAILED ? nullptr : region;
    }
    void* region = mmap(nullptr, length, kProtection, kBase | MAP_HUGETLB | MAP_POPULATE, -1, 0);
    if (region != MAP_FAILED) {
        return region;
    }
    // No (or not enough) reserved huge pages: transparent ones, if the kernel grants them.
    region = mmap(nullptr, length, kProtection, kBase, -1, 0);
    if (region == MAP_FAILED) {
        return nullptr;
    }
    madvise(region, length, MADV_HUGEPAGE);
    for (std::size_t offset = 0; offset < length; offset += 4096) {
        static_cast<volatile char*>(region)[offset] = 0;
    }
    return region;
}

void release_region(void* region, std::size_t bytes) {
    munmap(region, rounded(bytes));
}

}  // namespace tw
