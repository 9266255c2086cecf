#pragma once

#include "base/ensure.hpp"
#include "base/executor.hpp"
#include "edge/loops.hpp"

#include <boost/asio/io_context.hpp>

#include <thread>
#include <vector>

/// Inside of src/edge: the event loop itself, for the units that speak Asio.
namespace symbolon::edge {

class Loop final : public Executor {
public:
    explicit Loop(std::size_t index) : index_{index} {}

    void post(std::function<void()> work) override;

    [[nodiscard]] boost::asio::io_context& context() { return context_; }
    [[nodiscard]] std::size_t index() const { return index_; }

    /// The loop of the calling thread, which must be one of ours.
    static Loop& current()
    {
        auto* loop = dynamic_cast<Loop*>(Executor::current());
        ENSURE(loop != nullptr);
        return *loop;
    }

private:
    std::size_t index_;
    boost::asio::io_context context_{1};
};

struct Loops::Impl {
    std::vector<std::unique_ptr<Loop>> loops;
    std::vector<std::jthread> threads;
};

} // namespace symbolon::edge
