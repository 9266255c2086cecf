#include "virtual_card/card_core.hpp"

#include "base/ensure.hpp"
#include "base/secret.hpp"
#include "crypto/random.hpp"
#include "virtual_card/openssl.hpp"

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <algorithm>

namespace symbolon::virtual_card {

namespace {

constexpr std::array<Byte, 13> atr_17{0x3B, 0x98, 0x13, 0x40, 0x0A, 0xA5, 0x03, 0x01, 0x01, 0x01, 0xAD, 0x13, 0x11};
constexpr std::array<Byte, 20> atr_18{0x3B, 0x7F, 0x96, 0x00, 0x00, 0x80, 0x31, 0x80, 0x65, 0xB0,
                                      0x85, 0x04, 0x01, 0x20, 0x12, 0x0F, 0xFF, 0x82, 0x90, 0x00};
constexpr std::array<Byte, 15> applet_aid{0xA0, 0x00, 0x00, 0x00, 0x30, 0x29, 0x05, 0x70,
                                          0x00, 0xAD, 0x13, 0x10, 0x01, 0x01, 0xFF};
/// EF(DIR) names it with the path 3F00 DF00: selecting it makes DF(BELPIC) current, which the official middleware
/// relies on.
constexpr std::array<Byte, 12> pkcs15_aid{0xA0, 0x00, 0x00, 0x01, 0x77, 0x50, 0x4B, 0x43, 0x53, 0x2D, 0x31, 0x35};

constexpr std::uint16_t master_file = 0x3F00;
constexpr std::uint16_t belpic_directory = 0xDF00;
constexpr std::uint16_t id_directory = 0xDF01;

constexpr int most_pin_tries = 3;
constexpr std::size_t longest_command_bytes = 261; ///< header, P3, 255 bytes, Le
constexpr std::size_t longest_answer_bytes = 256;
constexpr std::size_t pin_block_bytes = 8;
constexpr std::size_t challenge_bytes = 48;

Bytes status(std::uint16_t word) { return {static_cast<Byte>(word >> 8U), static_cast<Byte>(word)}; }

Bytes with_status(ByteView data, std::uint16_t word = sw::ok)
{
    Bytes answer{data.begin(), data.end()};
    append(answer, status(word));
    return answer;
}

Bytes wrong_le(std::size_t right) { return status(static_cast<std::uint16_t>(sw::wrong_le + (right & 0xFFU))); }

/// What an algorithm byte of MSE SET means (eid-card.md §3).
struct Algorithm {
    Byte reference;
    EVP_MD const* (*digest)(); ///< RSA: of the signature; none: the caller brings DigestInfo
    bool pss;
    std::array<std::size_t, 5> lengths; ///< of the data that PSO takes; 0: no more
};

constexpr std::size_t longest_digest_info = 245; // 256 − 11 bytes of PKCS#1 v1.5 padding

constexpr std::array algorithms_17{
    Algorithm{0x01, nullptr, false, {}},    Algorithm{0x02, &EVP_sha1, false, {20}},
    Algorithm{0x04, &EVP_md5, false, {16}}, Algorithm{0x08, &EVP_sha256, false, {32}},
    Algorithm{0x10, &EVP_sha1, true, {20}}, Algorithm{0x20, &EVP_sha256, true, {32}},
};

constexpr std::array algorithms_18{
    Algorithm{0x01, nullptr, false, {32}},                 // SHA-256
    Algorithm{0x02, nullptr, false, {48}},                 // SHA-384
    Algorithm{0x04, nullptr, false, {64}},                 // SHA-512
    Algorithm{0x08, nullptr, false, {32}},                 // SHA3-256
    Algorithm{0x10, nullptr, false, {48}},                 // SHA3-384
    Algorithm{0x20, nullptr, false, {64}},                 // SHA3-512
    Algorithm{0x40, nullptr, false, {20, 28, 32, 48, 64}}, // whatever it was
};

Algorithm const* algorithm_of(Generation generation, Byte reference)
{
    auto const in = [reference](auto const& table) -> Algorithm const* {
        auto const row = std::ranges::find(table, reference, &Algorithm::reference);
        return row == table.end() ? nullptr : &*row;
    };
    return generation == Generation::v18 ? in(algorithms_18) : in(algorithms_17);
}

bool takes(Algorithm const& algorithm, std::size_t size)
{
    if (algorithm.lengths[0] == 0) return size > 0 && size <= longest_digest_info;
    return size > 0 && std::ranges::find(algorithm.lengths, size) != algorithm.lengths.end();
}

Bytes signature(KeyContext const& context, ByteView digest)
{
    std::size_t size = 0;
    ENSURE(EVP_PKEY_sign(context.get(), nullptr, &size, digest.data(), digest.size()) == 1);
    Bytes out(size);
    ENSURE(EVP_PKEY_sign(context.get(), out.data(), &size, digest.data(), digest.size()) == 1);
    out.resize(size);
    return out;
}

Bytes rsa_signature(Key const& key, Algorithm const& algorithm, ByteView data)
{
    auto const context = KeyContext{EVP_PKEY_CTX_new(key.get(), nullptr)};
    ENSURE(EVP_PKEY_sign_init(context.get()) == 1);
    ENSURE(EVP_PKEY_CTX_set_rsa_padding(context.get(), algorithm.pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1);
    if (algorithm.digest != nullptr) ENSURE(EVP_PKEY_CTX_set_signature_md(context.get(), algorithm.digest()) == 1);
    if (algorithm.pss) ENSURE(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1);
    return signature(context, data);
}

/// r ‖ s, 96 bytes: never DER.
Bytes ec_signature(Key const& key, ByteView digest)
{
    constexpr int field_bytes = 48;
    auto const context = KeyContext{EVP_PKEY_CTX_new(key.get(), nullptr)};
    ENSURE(EVP_PKEY_sign_init(context.get()) == 1);
    auto const der = signature(context, digest);
    auto const* at = der.data();
    auto* const parsed = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    ENSURE(parsed != nullptr);
    Bytes raw(std::size_t{2} * field_bytes);
    ENSURE(BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw.data(), field_bytes) == field_bytes);
    ENSURE(BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw.data() + field_bytes, field_bytes) == field_bytes);
    ECDSA_SIG_free(parsed);
    return raw;
}

/// The digits of a PIN block; nothing when it is none.
std::optional<std::string> pin_in(ByteView block)
{
    if (block.size() != pin_block_bytes || block[0] >> 4U != 2) return std::nullopt;
    auto const length = static_cast<std::size_t>(block[0] & 0x0FU);
    if (length < 4 || length > 12) return std::nullopt;
    std::string pin;
    for (std::size_t i = 0; i < 14; ++i) {
        auto const nibble = i % 2 == 0 ? block[1 + i / 2] >> 4U : block[1 + i / 2] & 0x0FU;
        if (i < length ? nibble > 9 : nibble != 0x0F) return std::nullopt;
        if (i < length) pin += static_cast<char>('0' + nibble);
    }
    return pin;
}

bool is_directory(std::uint16_t id) { return id == belpic_directory || id == id_directory; }

std::uint16_t number_at(ByteView bytes, std::size_t at)
{
    return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}

} // namespace

Bytes pin_block(std::string_view pin)
{
    ENSURE(pin.size() >= 4 && pin.size() <= 12);
    Bytes block(pin_block_bytes, 0xFF);
    block[0] = static_cast<Byte>(0x20U | pin.size());
    for (std::size_t i = 0; i < pin.size(); ++i) {
        auto& byte = block[1 + i / 2];
        auto const digit = static_cast<unsigned>(pin[i] - '0');
        byte = static_cast<Byte>(i % 2 == 0 ? digit << 4U | 0x0FU : (byte & 0xF0U) | digit);
    }
    return block;
}

CardCore::CardCore(Card card, int most_internal_authentications)
    : card_{std::move(card)},
      most_internal_authentications_{most_internal_authentications}
{}

ByteView CardCore::atr() const { return is_18() ? ByteView{atr_18} : ByteView{atr_17}; }

void CardCore::reset()
{
    current_directory_ = master_file;
    current_file_.reset();
    environment_.reset();
    waiting_.clear();
    internal_authentications_ = 0;
    drop_rights();
}

void CardCore::drop_rights()
{
    authentication_right_ = false;
    commands_since_verify_.reset();
}

Bytes CardCore::transmit(ByteView bytes)
{
    auto const is_get_response = bytes.size() >= 2 && (bytes[0] == 0x00 || bytes[0] == 0x80) && bytes[1] == 0xC0;
    if (!is_get_response) waiting_.clear();
    // Whatever is asked between VERIFY and the signature counts, also what is refused.
    if (commands_since_verify_) ++*commands_since_verify_;

    if (bytes.size() < 4 || bytes.size() > longest_command_bytes) return status(sw::wrong_length);
    auto command =
        Command{.cla = bytes[0], .ins = bytes[1], .p1 = bytes[2], .p2 = bytes[3], .le = 256, .data = {}, .p3 = 0};
    if (bytes.size() >= 5) command.p3 = bytes[4];
    if (command.p3 != 0) command.le = command.p3;
    if (is_get_response) command.cla = 0x00; // some clients keep the class of the command that it belongs to
    if (bytes.size() > 5) {
        // Header, Lc, data and perhaps an Le, which T=0 does not carry. Lc = 0 with something after it is an extended
        // length.
        auto const body = bytes.size() - 5;
        if (command.p3 == 0 || (body != command.p3 && body != command.p3 + 1U)) return status(sw::wrong_length);
        command.data = bytes.subspan(5, command.p3);
    }
    return dispatch(command);
}

Bytes CardCore::dispatch(Command const& command)
{
    // ISO 7816-4 §5.4.1: interindustry and proprietary class, channel 0, no secure messaging.
    auto const channel = command.cla & 0x03U;
    auto const without_channel = command.cla & 0xFCU;
    if (channel != 0 && (without_channel == 0x00 || without_channel == 0x80))
        return status(sw::logical_channel_unsupported);
    if (command.cla != 0x00 && command.cla != 0x80) return status(sw::unknown_class);

    struct Instruction {
        Byte cla, ins;
        bool only_18;
        Bytes (CardCore::*run)(Command const&);
    };
    static constexpr std::array instructions{
        Instruction{0x00, 0x20, false, &CardCore::verify},
        Instruction{0x00, 0x22, false, &CardCore::set_environment},
        Instruction{0x00, 0x24, false, &CardCore::change_pin},
        Instruction{0x00, 0x2A, false, &CardCore::compute_signature},
        Instruction{0x00, 0x84, false, &CardCore::get_challenge},
        Instruction{0x00, 0x88, true, &CardCore::internal_authenticate},
        Instruction{0x00, 0xA4, false, &CardCore::select},
        Instruction{0x00, 0xB0, false, &CardCore::read_binary},
        Instruction{0x00, 0xC0, false, &CardCore::get_response},
        Instruction{0x80, 0xB2, true, &CardCore::read_record},
        Instruction{0x80, 0xE4, false, &CardCore::get_card_data},
        Instruction{0x80, 0xE6, false, &CardCore::log_off},
    };
    auto const known = std::ranges::find_if(
        instructions, [&](auto const& i) { return i.ins == command.ins && (is_18() || !i.only_18); });
    if (known == instructions.end()) return status(sw::unknown_instruction);
    if (known->cla != command.cla) return status(sw::unknown_class);
    return (this->*known->run)(command);
}

Bytes CardCore::announce(Bytes data)
{
    waiting_ = std::move(data);
    auto const next = std::min(waiting_.size(), longest_answer_bytes);
    return status(static_cast<std::uint16_t>(sw::bytes_waiting + (next & 0xFFU)));
}

// ---- files ----------------------------------------------------------------------------------------------------------

Bytes CardCore::select(Command const& command)
{
    if (command.p1 == 0x04) return select_application(command);
    if (command.p2 != 0x0C) return status(sw::wrong_p1_p2); // no FCI is ever given
    if (command.p1 == 0x02) {
        if (command.data.size() != 2) return status(sw::lc_inconsistent);
        return status(select_file(number_at(command.data, 0)) ? sw::ok : sw::file_not_found);
    }
    if (command.p1 != 0x08) return status(sw::wrong_p1_p2);

    // Path from the master file. The manual gives it without 3F00, clients give it with: both.
    if (command.data.empty() || command.data.size() % 2 != 0) return status(sw::lc_inconsistent);
    auto const directory_before = current_directory_;
    auto const file_before = current_file_;
    select_file(master_file);
    for (std::size_t at = 0; at < command.data.size(); at += 2) {
        auto const id = number_at(command.data, at);
        auto const leads_on = at + 2 == command.data.size() || is_directory(id) || id == master_file;
        auto const is_later_root = id == master_file && at != 0;
        if (leads_on && !is_later_root && select_file(id)) continue;
        current_directory_ = directory_before;
        current_file_ = file_before;
        return status(sw::file_not_found);
    }
    return status(sw::ok);
}

Bytes CardCore::select_application(Command const& command)
{
    constexpr std::size_t shortest_aid = 5;
    if (command.p2 != 0x00 && command.p2 != 0x0C) return status(sw::wrong_p1_p2);
    // ISO 7816-4 §7.1.1: an AID may be cut on the right.
    auto const names = [&](ByteView aid) {
        return command.data.size() >= shortest_aid && command.data.size() <= aid.size() &&
               std::ranges::equal(command.data, aid.first(command.data.size()));
    };
    if (!names(applet_aid) && !names(pkcs15_aid)) return status(sw::file_not_found);
    select_file(master_file);
    if (names(pkcs15_aid)) select_file(belpic_directory);
    return status(sw::ok);
}

/// The master file, a directory under the current one, or a file in it.
bool CardCore::select_file(std::uint16_t id)
{
    if (id == master_file) {
        current_directory_ = master_file;
        current_file_.reset();
        return true;
    }
    if (is_directory(id) && current_directory_ == master_file) {
        current_directory_ = id;
        current_file_.reset();
        return true;
    }
    auto const path = FilePath{current_directory_, id};
    if (!card_.files.contains(path)) return false;
    current_file_ = path;
    return true;
}

Bytes CardCore::read_binary(Command const& command)
{
    if (!command.data.empty()) return status(sw::wrong_length);
    if (!current_file_) return status(sw::no_current_file);
    if ((command.p1 & 0x80U) != 0) return status(sw::wrong_parameters); // short file identifiers do not exist here
    auto const& file = card_.files.at(*current_file_);
    auto const offset = static_cast<std::size_t>(command.p1 << 8U | command.p2);
    if (offset >= file.size()) return status(sw::wrong_parameters);
    auto const left = file.size() - offset;
    if (command.le > left) return wrong_le(left);
    return with_status(ByteView{file}.subspan(offset, command.le));
}

/// 1.8: the fields of a TLV file from tag P1 to tag P2, as they stand.
Bytes CardCore::read_record(Command const& command)
{
    if (!command.data.empty()) return status(sw::wrong_length);
    if (!current_file_) return status(sw::no_current_file);
    if (*current_file_ != files::identity && *current_file_ != files::address) return status(sw::not_a_record_file);
    auto const& file = card_.files.at(*current_file_);
    Bytes found;
    for (std::size_t at = 0; at + 1 < file.size();) {
        auto const start = at;
        auto const tag = file[at++];
        if (tag == 0) break; // padding
        std::size_t length = 0;
        while (at < file.size() && file[at] == 0xFF) length += file[at++];
        if (at >= file.size()) break;
        length += file[at++];
        at = std::min(at + length, file.size());
        if (tag >= command.p1 && tag <= command.p2) append(found, ByteView{file}.subspan(start, at - start));
    }
    if (found.empty()) return status(sw::record_not_found);
    if (command.p3 != 0 && command.p3 != found.size()) return wrong_le(std::min(found.size(), longest_answer_bytes));
    if (found.size() <= longest_answer_bytes) return with_status(found);
    auto const first = ByteView{found}.first(longest_answer_bytes);
    auto const rest = ByteView{found}.subspan(longest_answer_bytes);
    waiting_.assign(rest.begin(), rest.end());
    return with_status(
        first, static_cast<std::uint16_t>(sw::bytes_waiting + (std::min(rest.size(), longest_answer_bytes) & 0xFFU)));
}

/// ISO 7816-4 §7.5.3. Programs take random bytes from it (20 at a time: the official middleware, commons-eid); nothing
/// that a holder's programs may do needs the challenge afterwards, so none is kept.
Bytes CardCore::get_challenge(Command const& command)
{
    if (command.p1 != 0 || command.p2 != 0) return status(sw::wrong_p1_p2);
    if (!command.data.empty()) return status(sw::wrong_length);
    return with_status(crypto::system_random()->bytes(command.le));
}

Bytes CardCore::get_response(Command const& command)
{
    if (command.p1 != 0 || command.p2 != 0) return status(sw::wrong_parameters);
    if (!command.data.empty()) return status(sw::wrong_length);
    if (waiting_.empty()) return status(sw::conditions_not_satisfied);
    if (command.le > waiting_.size()) return wrong_le(waiting_.size());
    auto const given = Bytes{waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(command.le)};
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(command.le));
    if (waiting_.empty()) return with_status(given);
    return with_status(given, static_cast<std::uint16_t>(sw::bytes_waiting +
                                                         (std::min(waiting_.size(), longest_answer_bytes) & 0xFFU)));
}

Bytes CardCore::get_card_data(Command const& command)
{
    auto const with_tries = command.p2 == 0x01 && is_18();
    if (command.p1 != 0 || (command.p2 != 0 && !with_tries)) return status(sw::wrong_parameters);
    if (!command.data.empty()) return status(sw::wrong_length);
    auto data = card_.card_data;
    if (with_tries) data.insert(data.end(), {static_cast<Byte>(card_.pin_tries), 0xFF, 0xFF});
    if (command.p3 != data.size()) return wrong_le(data.size());
    return with_status(data);
}

// ---- PIN ------------------------------------------------------------------------------------------------------------

std::uint16_t CardCore::try_pin(ByteView block)
{
    if (card_.pin_tries == 0) return sw::pin_blocked;
    --card_.pin_tries; // before looking, as a chip does: pulling the plug gains nothing
    auto const right = pin_block(card_.pin);
    if (!equal_in_constant_time(block, right)) {
        drop_rights();
        return card_.pin_tries == 0 ? sw::pin_blocked : static_cast<std::uint16_t>(sw::tries_left + card_.pin_tries);
    }
    card_.pin_tries = most_pin_tries;
    internal_authentications_ = 0;
    if (environment_ && environment_->key == signature_key_reference) commands_since_verify_ = 0;
    else authentication_right_ = true;
    return sw::ok;
}

Bytes CardCore::verify(Command const& command)
{
    auto const was_verified = authentication_right_ || commands_since_verify_.has_value();
    commands_since_verify_.reset(); // between VERIFY and signature there is no other VERIFY
    if (command.p1 != 0) return status(sw::wrong_p1_p2);
    if (command.p2 != 0x01) return status(sw::reference_not_found);
    if (command.p3 == 0) {
        if (card_.pin_tries == 0) return status(sw::pin_blocked);
        return status(was_verified ? sw::ok : static_cast<std::uint16_t>(sw::tries_left + card_.pin_tries));
    }
    if (command.data.size() != pin_block_bytes) return status(sw::wrong_length);
    return status(try_pin(command.data));
}

Bytes CardCore::change_pin(Command const& command)
{
    if (command.p1 != 0) return status(sw::wrong_p1_p2);
    if (command.p2 != 0x01) return status(sw::reference_not_found);
    if (command.data.size() != 2 * pin_block_bytes) return status(sw::wrong_length);
    if (card_.pin_tries == 0) return status(sw::pin_blocked);
    auto const wanted = pin_in(command.data.subspan(pin_block_bytes));
    if (!wanted) return status(sw::wrong_data);
    auto const verdict = try_pin(command.data.first(pin_block_bytes));
    if (verdict == sw::ok) card_.pin = *wanted;
    return status(verdict);
}

Bytes CardCore::log_off(Command const& command)
{
    if (command.p1 != 0 || command.p2 != 0) return status(sw::wrong_parameters);
    drop_rights();
    return status(sw::ok);
}

// ---- signatures -----------------------------------------------------------------------------------------------------

Bytes CardCore::set_environment(Command const& command)
{
    if (command.p1 != 0x41 || command.p2 != 0xB6) return status(sw::wrong_parameters);
    auto const& data = command.data;
    if (data.size() != 5) return status(sw::wrong_length);
    if (data[0] != 0x04 || data[1] != 0x80 || data[3] != 0x84) return status(sw::wrong_data);
    if (algorithm_of(card_.generation, data[2]) == nullptr) return status(sw::wrong_data);
    if (data[4] != authentication_key_reference && data[4] != signature_key_reference)
        return status(sw::reference_not_found);
    environment_ = Environment{.algorithm = data[2], .key = data[4]};
    return status(sw::ok);
}

bool CardCore::may_sign(Byte key) const
{
    if (key == authentication_key_reference) return authentication_right_;
    // The signature itself is the first command since VERIFY; 1.8 allows one in between.
    return commands_since_verify_ && *commands_since_verify_ <= (is_18() ? 2 : 1);
}

Bytes CardCore::compute_signature(Command const& command)
{
    auto const allowed = environment_ && may_sign(environment_->key);
    commands_since_verify_.reset(); // used up, by an attempt too
    if (command.p1 != 0x9E || command.p2 != 0x9A) return status(sw::wrong_p1_p2);
    if (!environment_) return status(sw::conditions_not_satisfied);
    if (!allowed) return status(sw::security_not_satisfied);
    auto const* const algorithm = algorithm_of(card_.generation, environment_->algorithm);
    ENSURE(algorithm != nullptr);
    if (!takes(*algorithm, command.data.size())) return status(sw::wrong_length);

    auto const& key =
        environment_->key == authentication_key_reference ? card_.authentication_key : card_.signature_key;
    return announce(is_18() ? ec_signature(key, command.data) : rsa_signature(key, *algorithm, command.data));
}

/// 1.8: the basic key signs the challenge as it is. This tells a chip from copied files.
Bytes CardCore::internal_authenticate(Command const& command)
{
    if (command.p1 != 0x02 || command.p2 != 0x81) return status(sw::wrong_p1_p2);
    auto const& data = command.data;
    if (data.size() != 2 + challenge_bytes) return status(sw::wrong_length);
    if (data[0] != 0x94 || data[1] != challenge_bytes) return status(sw::wrong_data);
    if (internal_authentications_ >= most_internal_authentications_) return status(sw::conditions_not_satisfied);
    ++internal_authentications_;
    environment_.reset();
    return announce(ec_signature(card_.basic_key, data.subspan(2)));
}

} // namespace symbolon::virtual_card
