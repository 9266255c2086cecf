#include "card_reader/eid_program.hpp"

#include "base/grouped_number.hpp"
#include "base/text.hpp"
#include "crypto/encoding.hpp"

#include <algorithm>

namespace symbolon::card_reader {

namespace {

constexpr int most_unanswered = 3; ///< questions of a reader with keys, each half a minute

constexpr std::string_view version = "0.1.0";
constexpr std::size_t longest_shown_text = 200;

enum class Purpose : std::uint8_t { read, sign };

/// The answer of /eid/open, judged.
struct Opened {
    std::string session;
    Purpose purpose = Purpose::read;
    std::string phone_number;
    std::string email;
    std::optional<Language> language;
    // purpose read
    std::vector<std::string> symbols;
    card::Challenge challenge;
    // purpose sign
    Bytes digest;
    Generation generation = Generation::v1_8; ///< by the digest's algorithm
    Bytes chip_number;
    std::string contract_title;
};

Result<std::string> shown_text(json::Object const& object, std::string_view name)
{
    return displayable(TRY(json::text(object, name)), longest_shown_text);
}

Result<Bytes> binary(json::Object const& object, std::string_view name, std::size_t size)
{
    auto bytes = TRY(crypto::from_base64url(TRY(json::text(object, name))));
    if (bytes.size() != size) return fail(Outcome::json_malformed, std::string{name} + ": length");
    return bytes;
}

Result<std::vector<std::string>> parse_symbols(json::Object const& object)
{
    std::vector<std::string> symbols;
    for (auto const& value : TRY(json::array(object, "symbols"))) {
        auto const* name = value.if_string();
        auto const plain =
            name != nullptr && !name->empty() && name->size() <= 32 &&
            std::ranges::all_of(*name, [](char c) { return (c >= 'a' && c <= 'z') || c == '-' || c == '_'; });
        if (!plain) return fail(Outcome::json_malformed, "symbols");
        symbols.emplace_back(*name);
    }
    if (symbols.size() < 2 || symbols.size() > 12) return fail(Outcome::json_malformed, "symbols");
    return symbols;
}

Result<Opened> parse_opened(json::Object const& object, Link const& link)
{
    // The card's answer is bound to the origin that the holder was shown; a server that has another name in mind has
    // another card holder in mind too.
    if (TRY(json::text(object, "origin")) != link.origin) return fail(Outcome::origin_refused, "another origin");

    Opened opened;
    opened.session = TRY(json::text(object, "session"));
    opened.phone_number = TRY(shown_text(object, "phone_number"));
    if (object.contains("email")) opened.email = TRY(shown_text(object, "email"));
    if (auto const language = TRY(json::optional_text(object, "language"))) opened.language = language_named(*language);

    auto const purpose = TRY(json::text(object, "purpose"));
    if (purpose == "read") {
        opened.purpose = Purpose::read;
        opened.symbols = TRY(parse_symbols(object));
        auto const challenge = TRY(binary(object, "challenge", opened.challenge.bytes.size()));
        std::ranges::copy(challenge, opened.challenge.bytes.begin());
        opened.challenge.origin = link.origin;
        return opened;
    }
    if (purpose != "sign") return fail(Outcome::json_malformed, "purpose");

    opened.purpose = Purpose::sign;
    auto const algorithm = TRY(json::text(object, "digest_algorithm"));
    if (algorithm != "sha256" && algorithm != "sha384") return fail(Outcome::json_malformed, "digest_algorithm");
    opened.generation = algorithm == "sha384" ? Generation::v1_8 : Generation::v1_7;
    opened.digest = TRY(binary(object, "digest", algorithm == "sha384" ? 48 : 32));
    opened.chip_number = TRY(binary(object, "chip_number", 16));
    opened.contract_title = TRY(shown_text(object, "contract_title"));
    return opened;
}

/// A failure as the program ends with it.
Exit exit_of(Outcome outcome)
{
    switch (outcome) {
    case Outcome::cancelled:
    case Outcome::page_symbol_wrong: return Exit::not_agreed;
    case Outcome::pin_wrong:
    case Outcome::pin_blocked:
    case Outcome::pin_malformed:
    case Outcome::pin_last_try: return Exit::pin;
    case Outcome::reader_missing:
    case Outcome::reader_service_missing:
    case Outcome::card_missing:
    case Outcome::card_removed:
    case Outcome::card_in_use:
    case Outcome::card_not_belgian:
    case Outcome::card_unresponsive:
    case Outcome::card_generation_unsupported:
    case Outcome::other_card_than_read:
    case Outcome::signature_certificate_missing: return Exit::card;
    default: return Exit::unexpected;
    }
}

bool is_only_zeros(ByteView file)
{
    return std::ranges::all_of(file, [](Byte byte) { return byte == 0; });
}

std::string base64url(auto const& bytes) { return crypto::base64url(ByteView{bytes}); }

/// One run, from the opened ticket on.
class Run {
public:
    Run(Link const& link, ProgramMeans& means) : link_{link}, means_{means} {}

    Ending all()
    {
        means_.holder.speak(means_.language);
        means_.holder.say(text("eid.connecting", {{"host", link_.host}}));
        auto const answer = means_.server.post("/eid/open", {{"ticket", link_.ticket}, {"version", version}});
        if (!answer) return ended(answer.error());
        auto const opened = parse_opened(*answer, link_);
        if (!opened) return ended(no_protocol(opened.error()));
        opened_ = *opened;
        if (opened_.language && !means_.language_is_chosen) means_.language = *opened_.language;
        means_.server.speak(means_.language);
        means_.holder.speak(means_.language);

        if (auto const result = agree(); !result) return ended(result.error());
        auto message = opened_.purpose == Purpose::read ? read_card() : sign_contract();
        if (message && !means_.holder.is_there()) message = fail(Outcome::cancelled);
        if (!message) {
            report(at_, message.error());
            return ended(message.error());
        }

        report("sending");
        means_.holder.say(text("eid.sending"));
        auto const accepted =
            means_.server.post(opened_.purpose == Purpose::read ? "/eid/read" : "/eid/sign", *message);
        if (!accepted) return ended(accepted.error());
        return {Exit::done, text(opened_.purpose == Purpose::read ? "eid.done_read" : "eid.done_sign"), {}};
    }

private:
    [[nodiscard]] std::string text(std::string_view key, Texts::Values const& values = {}) const
    {
        return means_.texts.text(means_.language, key, values);
    }

    /// Shows who asks for what, and for which account; asks for consent, and for the symbol of the page.
    Result<void> agree()
    {
        auto& holder = means_.holder;
        Request request{.asks = text("eid.asks_read", {{"host", link_.host}}),
                        .phone_number =
                            text("eid.phone_number", {{"phone_number", grouped_number(opened_.phone_number)}}),
                        .email = {},
                        .warning = text("eid.warning"),
                        .question = text("eid.consent")};
        if (opened_.purpose == Purpose::sign)
            request.asks = text("eid.asks_sign", {{"host", link_.host}, {"title", opened_.contract_title}});
        if (!opened_.email.empty()) request.email = text("eid.email", {{"email", opened_.email}});
        if (!holder.agrees(request)) return fail(Outcome::cancelled);
        if (opened_.purpose == Purpose::sign) return {};

        // A thief's page shows a symbol that the holder can't see.
        auto const symbol = holder.choose_symbol(text("eid.symbol"), opened_.symbols);
        if (!symbol) return fail(Outcome::cancelled);
        if (std::ranges::find(opened_.symbols, *symbol) == opened_.symbols.end())
            return fail(Outcome::page_symbol_wrong);
        symbol_ = *symbol;
        return {};
    }

    Result<void> find_card()
    {
        at_ = "reader";
        card_ = TRY(means_.find_card([this](Waiting waiting) {
            at_ = waiting == Waiting::for_reader ? "reader" : "card";
            means_.holder.say(text(waiting == Waiting::for_reader ? "eid.connect_reader" : "eid.insert_card"));
            report(at_);
        }));
        at_ = "reading";
        means_.holder.say(text("eid.reading"));
        report(at_);
        return {};
    }

    Result<json::Object> read_card()
    {
        TRY(find_card());
        BelpicCard belpic{*card_};
        auto const data = TRY(belpic.card_data());
        auto reading = TRY(belpic.read_files(data));

        if (data.generation == Generation::v1_8) {
            reading.internal_authenticate =
                TRY(belpic.answer_with_card_key(card::challenge_for_card_key(opened_.challenge)));
        } else if (!is_only_zeros(reading.authentication_certificate)) {
            auto const digest = card::challenge_for_authentication_key(opened_.challenge);
            reading.authentication_signature = TRY(sign(belpic, data, KeyReference::authentication, digest));
        }

        json::Object files{
            {"identity", base64url(reading.identity)},
            {"identity_signature", base64url(reading.identity_signature)},
            {"address", base64url(reading.address)},
            {"address_signature", base64url(reading.address_signature)},
            {"photo", base64url(reading.photo)},
            {"card_data", base64url(reading.card_data)},
            {"authentication_certificate", base64url(reading.authentication_certificate)},
            {"signature_certificate", base64url(reading.signature_certificate)},
            {"ca_certificate", base64url(reading.ca_certificate)},
            {"root_certificate", base64url(reading.root_certificate)},
            {"register_certificate", base64url(reading.register_certificate)},
        };
        if (!reading.card_key.empty()) files["card_key"] = base64url(reading.card_key);
        json::Object message{{"session", opened_.session}, {"symbol", symbol_}, {"files", std::move(files)}};
        if (!reading.internal_authenticate.empty())
            message["internal_authenticate"] = base64url(reading.internal_authenticate);
        if (!reading.authentication_signature.empty())
            message["authentication_signature"] = base64url(reading.authentication_signature);
        return message;
    }

    Result<json::Object> sign_contract()
    {
        TRY(find_card());
        BelpicCard belpic{*card_};
        auto const data = TRY(belpic.card_data());
        if (!std::ranges::equal(data.chip_number(), opened_.chip_number) || data.generation != opened_.generation)
            return fail(Outcome::other_card_than_read);
        if (!TRY(belpic.has_signature_certificate(data))) return fail(Outcome::signature_certificate_missing);
        auto const signature = TRY(sign(belpic, data, KeyReference::signature, opened_.digest));
        return json::Object{{"session", opened_.session},
                            {"signature", base64url(signature)},
                            {"chip_number", base64url(data.chip_number())}};
    }

    /// A signature, with as many questions for the PIN as the holder wants and the card allows.
    Result<Bytes> sign(BelpicCard& belpic, CardData const& data, KeyReference key, ByteView digest)
    {
        at_ = "pin";
        auto tries = TRY(belpic.pin_tries_left(data));
        auto unanswered = 0;
        for (;;) {
            if (tries == 0) return fail(Outcome::pin_blocked);
            report("pin");
            auto last_try = LastTry::refuse;
            if (tries == 1) {
                if (!means_.holder.risks_last_try(text("eid.last_try")))
                    return fail_with_tries(Outcome::pin_last_try, 1);
                last_try = LastTry::confirmed;
            }
            auto const signature = belpic.sign(data, key, digest, TRY(pin(key, tries)), last_try);
            auto const wrong = !signature && (signature.error().outcome == Outcome::pin_wrong ||
                                              signature.error().outcome == Outcome::pin_malformed);
            // Whoever was looking for the card or the code may go on; a reader that nobody sits at is not asked for
            // ever.
            auto const missed = !signature && is_nothing_typed(signature.error()) && ++unanswered < most_unanswered;
            if ((!wrong && !missed) || !means_.holder.can_try_again()) return signature;
            if (missed) {
                say(signature.error());
                continue;
            }

            report("pin", signature.error());
            say(signature.error());
            if (signature.error().tries_left) tries = *signature.error().tries_left;
        }
    }

    Result<PinSource> pin(KeyReference key, int tries)
    {
        auto const left =
            tries == 1 ? text("eid.pin_last_of_tries") : text("eid.pin_tries", {{"count", std::to_string(tries)}});
        auto const question =
            text(key == KeyReference::signature ? "eid.pin_to_sign" : "eid.pin_to_read", {{"tries", left}});
        if (card_->has_pin_pad()) {
            means_.holder.say(question + "\n" + text("eid.pin_on_reader"));
            return PinOnReader{};
        }
        for (;;) {
            auto typed = means_.holder.type_pin(question);
            if (typed) return std::move(*typed);
            if (typed.error().outcome != Outcome::pin_malformed || !means_.holder.can_try_again())
                return std::unexpected{std::move(typed).error()};
            say(typed.error());
        }
    }

    /// Tells the server where we are, for the page. Whether it hears it changes nothing here.
    void report(std::string_view at, std::optional<Failure> const& failure = {})
    {
        json::Object message{{"session", opened_.session}, {"at", at}};
        if (failure) message["outcome"] = name_of(failure->outcome);
        if (failure && failure->tries_left) message["tries_left"] = *failure->tries_left;
        [[maybe_unused]] auto const heard = means_.server.post("/eid/progress", message);
    }

    [[nodiscard]] std::string sentence(Failure const& failure) const
    {
        if (is_nothing_typed(failure)) return text("eid.pin_nothing_typed");
        auto sentence = means_.texts.text(means_.language, failure.outcome);
        if (failure.tries_left)
            sentence += " " + text("eid.tries_left", {{"tries", std::to_string(*failure.tries_left)}});
        return sentence;
    }

    void say(Failure const& failure) { means_.holder.complain(sentence(failure)); }

    [[nodiscard]] Ending ended(Failure const& failure) const
    {
        return {exit_of(failure.outcome), sentence(failure), std::string{name_of(failure.outcome)}};
    }

    [[nodiscard]] Ending ended(ServerFailure const& failure) const
    {
        using enum ServerFailure::Kind;
        switch (failure.kind) {
        case unreachable:
            return {Exit::unreachable, text("eid.unreachable", {{"host", link_.host}, {"detail", failure.detail}}),
                    std::string{name_of(Outcome::upstream_unreachable)}};
        case no_protocol:
            return {Exit::unreachable, text("eid.no_protocol", {{"host", link_.host}, {"detail", failure.detail}}),
                    std::string{name_of(Outcome::request_malformed)}};
        case refused: break;
        }
        auto sentence = failure.text;
        if (auto const outcome = outcome_named(failure.outcome); sentence.empty() && outcome)
            sentence = means_.texts.text(means_.language, *outcome);
        if (failure.tries_left)
            sentence += " " + text("eid.tries_left", {{"tries", std::to_string(*failure.tries_left)}});
        return {Exit::refused, std::move(sentence), failure.outcome};
    }

    static ServerFailure no_protocol(Failure const& failure)
    {
        return {.kind = ServerFailure::Kind::no_protocol, .detail = failure.detail};
    }

    Link const& link_;
    ProgramMeans& means_;
    Opened opened_;
    std::string symbol_;
    std::string_view at_ = "reader";
    std::unique_ptr<Transceiver> card_;
};

} // namespace

Ending run_program(Link const& link, ProgramMeans means) { return Run{link, means}.all(); }

} // namespace symbolon::card_reader
