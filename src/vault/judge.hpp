#pragma once

#include "base/instant.hpp"
#include "base/result.hpp"
#include "crypto/random.hpp"
#include "vault/keys.hpp"
#include "vault/protocol.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace symbolon::vault {

/// Judges codes: the only place where a sealed proof is opened and where tries are counted (docs/vault.md).
///
/// One thread. A batch of requests shares two commits, both on disk before any reply of the batch is given: the first
/// takes a try of every account that is judged, the second keeps what came out. So whatever stops in between has cost a
/// try and never gives one back. An answer that was found wrong and comes again, byte by byte, costs no other one.
class Judge {
public:
    struct Hooks {
        std::function<void()> counted; ///< after the first commit, before a proof is opened: for tests of crashes
    };

    /// `path`: the SQLite file, made when it is not there; ":memory:" for the simulation.
    /// Fails with store_failed, data_damaged.
    static Result<Judge> open(std::filesystem::path const& path, Keys keys, crypto::Random& random, Hooks hooks);
    static Result<Judge> open(std::filesystem::path const& path, Keys keys, crypto::Random& random)
    {
        return open(path, std::move(keys), random, Hooks{});
    }

    Judge(Judge&& other) noexcept;
    Judge& operator=(Judge&& other) noexcept;
    ~Judge();

    /// One reply for each request, in their order. Of one account at most one request is looked at in each pair of
    /// commits: what comes second sees what the first one left.
    ///
    /// Failures of a reply. RegisterCode: seal_invalid, proof_malformed, conflict (there is a code, or was one, and no
    /// valid permit), moved_meanwhile (a replacement of a later move was carried out). JudgeCode: device_unknown (no
    /// such account, another phone), action_closed (another message was granted for this action), code_blocked (no try
    /// is left). AskTries: device_unknown. All: store_failed.
    std::vector<Reply> answer(std::span<Request const> requests, Instant now);

private:
    struct State;
    explicit Judge(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace symbolon::vault
