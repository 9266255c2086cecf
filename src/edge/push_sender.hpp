#pragma once

#include "edge/http_client.hpp"
#include "edge/loops.hpp"
#include "ports/services.hpp"
#include "push/delivery.hpp"

#include <memory>
#include <vector>

namespace symbolon::edge {

/// Notifies phones (push::deliver) on the event loops, beside what people wait for.
///
/// What is still to be sent is kept in memory: the store's open actions are the queue that survives, and after a start
/// ring_what_waits() takes up those that no phone has shown. A phone that is told twice shows one notification.
class PushSender final : public ports::Push {
public:
    /// All of it lives longer.
    struct Parts {
        Loops& loops;
        HttpClient& client;
        ports::Actions& actions;
        ports::Devices& devices;
        ports::PushSubscriptions& subscriptions;
        ports::Clock& clock;
        crypto::Random& random;
        ports::Log& log;
        push::Settings const& settings;
    };

    explicit PushSender(Parts parts);
    /// stop()
    ~PushSender() override;
    PushSender(PushSender const&) = delete;
    PushSender& operator=(PushSender const&) = delete;

    /// On one of the loops. Begins a moment later, so that the answer to who asked leaves first.
    void ring(ActionId const& action) override;

    /// Rings for every action that waits in the store; on one of the loops.
    Flow<void> ring_what_waits();

    /// Ends what is under way, and takes no more. Not on a loop.
    void stop();

private:
    class PerLoop;
    Parts parts_;
    account::PushSubscription nobody_;
    std::vector<std::shared_ptr<PerLoop>> per_loop_; ///< by the loop's index
};

} // namespace symbolon::edge
