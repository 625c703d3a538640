//! The cast of the demo: partners of all three types in many countries, each with a plot that leads the partner to a
//! situation worth showing.

use crate::{network::partners::PartnerType, platform::values::Id};
use PartnerType::{DirectBill, IndirectProvider, IndirectReseller};

/// The plot of a partner: its situation at the end of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plot {
    /// Meets every rule; has not asked yet.
    Ready,
    /// Takes part.
    Enrolled,
    /// Asked; the profiles are missing.
    ActionRequired,
    /// Asked; a profile was refused.
    ProfileRefused,
    /// Asked; the profiles wait for approval.
    Validating,
    /// Took part until its MPN agreement was terminated.
    LostMpn,
    /// Left for the year.
    OptedOut,
    /// Was ended by an operator.
    Discontinued,
    /// Invited by its first sale.
    Invited,
    /// Was invited and did not answer.
    InvitationExpired,
    /// Its only sale was taken back.
    Refunded,
    /// Has sold nothing.
    NoSale,
    /// Has no MPN agreement.
    MpnMissing,
    /// Its MPN agreement begins next month.
    MpnNotEffective,
    /// Its MPN agreement ran out, past its grace.
    MpnExpired,
    /// Its MPN agreement was terminated.
    MpnTerminated,
    /// Its MPN agreement is in its renewal window.
    MpnInGrace,
    /// There was a gap between two MPN agreements.
    MpnGap,
    /// Lacks the agreement of its channel.
    ChannelMissing,
    /// The agreement of its channel begins next month.
    ChannelNotEffective,
    /// The agreement of its channel ran out.
    ChannelExpired,
    /// The agreement of its channel was terminated.
    ChannelTerminated,
    /// Its distributor agreement carries no authorization.
    Unauthorized,
    /// Has attained nothing.
    CompetencyMissing,
    /// Its competency ran out.
    CompetencyExpired,
    /// Its competency is not one that the cloud growth program asks for.
    CompetencyElsewhere,
    /// Its competency's renewal is in doubt.
    CompetencyAtRisk,
    /// Nothing but an MPN agreement that has run out.
    NothingInOrder,
    /// Barred for a time.
    Suspended,
    /// Recorded, not yet active.
    Pending,
    /// Has left the network.
    Closed,
    /// A headquarters; its locations follow in the cast.
    Headquarters,
    /// A location that lives by its headquarters' papers.
    Location,
    /// Its first user was made lately; the set-up and the request follow on the same day.
    FirstDay,
    /// Has taken part, and sold, since the story begins.
    SinceLastYear,
    /// Its users have not been set up: they do not see its data yet.
    Newcomer,
}

/// A partner of the demo.
pub(super) struct Player {
    pub(super) name: &'static str,
    pub(super) country: &'static str,
    pub(super) currency: &'static str,
    pub(super) partner_type: PartnerType,
    pub(super) plot: Plot,
}

/// The country of a partner with its currency.
struct HomeMarket {
    country: &'static str,
    currency: &'static str,
}

const fn player(name: &'static str, home: HomeMarket, partner_type: PartnerType, plot: Plot) -> Player {
    Player { name, country: home.country, currency: home.currency, partner_type, plot }
}

const US: HomeMarket = HomeMarket { country: "US", currency: "USD" };
const DE: HomeMarket = HomeMarket { country: "DE", currency: "EUR" };
const FR: HomeMarket = HomeMarket { country: "FR", currency: "EUR" };
const GB: HomeMarket = HomeMarket { country: "GB", currency: "GBP" };
const JP: HomeMarket = HomeMarket { country: "JP", currency: "JPY" };
const KW: HomeMarket = HomeMarket { country: "KW", currency: "KWD" };
const BR: HomeMarket = HomeMarket { country: "BR", currency: "BRL" };
const IN: HomeMarket = HomeMarket { country: "IN", currency: "INR" };
const AU: HomeMarket = HomeMarket { country: "AU", currency: "AUD" };
const PL: HomeMarket = HomeMarket { country: "PL", currency: "PLN" };
const ZA: HomeMarket = HomeMarket { country: "ZA", currency: "ZAR" };
const CA: HomeMarket = HomeMarket { country: "CA", currency: "CAD" };

/// The partners, in the order they join. A headquarters stands before its locations.
pub(super) const CAST: &[Player] = &[
    player("Alder Cloud Services", US, DirectBill, Plot::Ready),
    player("Birch Distribution", DE, IndirectProvider, Plot::Ready),
    player("Cedar Systems", GB, DirectBill, Plot::NothingInOrder),
    player("Dogwood Consulting", US, IndirectReseller, Plot::Invited),
    player("Elm Digital", FR, DirectBill, Plot::Enrolled),
    player("Fir Networks", JP, DirectBill, Plot::Enrolled),
    player("Ginkgo Software", KW, DirectBill, Plot::Enrolled),
    player("Hawthorn IT", BR, DirectBill, Plot::ActionRequired),
    player("Ironwood Data", IN, DirectBill, Plot::ProfileRefused),
    player("Juniper Works", AU, DirectBill, Plot::Validating),
    player("Kapok Solutions", PL, DirectBill, Plot::LostMpn),
    player("Larch Technologies", ZA, DirectBill, Plot::OptedOut),
    player("Maple Integration", CA, DirectBill, Plot::Discontinued),
    player("Nutmeg Computing", US, DirectBill, Plot::MpnMissing),
    player("Oak & Partner", DE, DirectBill, Plot::MpnNotEffective),
    player("Pine Valley Systems", GB, DirectBill, Plot::MpnExpired),
    player("Quince Platforms", FR, DirectBill, Plot::MpnTerminated),
    player("Rowan Infrastructure", JP, DirectBill, Plot::MpnInGrace),
    player("Spruce Hosting", US, DirectBill, Plot::MpnGap),
    player("Tamarack Apps", BR, DirectBill, Plot::ChannelMissing),
    player("Upas Analytics", IN, DirectBill, Plot::ChannelNotEffective),
    player("Viburnum Labs", AU, DirectBill, Plot::ChannelExpired),
    player("Willow Bridge", PL, DirectBill, Plot::ChannelTerminated),
    player("Xylo Mobile", ZA, DirectBill, Plot::CompetencyMissing),
    player("Yew Security", CA, DirectBill, Plot::CompetencyExpired),
    player("Zelkova Messaging", US, DirectBill, Plot::CompetencyElsewhere),
    player("Acacia Devices", DE, DirectBill, Plot::CompetencyAtRisk),
    player("Beech Online", GB, DirectBill, Plot::Suspended),
    player("Chestnut Media", FR, DirectBill, Plot::Pending),
    player("Dahlia Telecom", JP, DirectBill, Plot::Closed),
    player("Ebony Group Holding", US, DirectBill, Plot::Headquarters),
    player("Ebony Group Seattle", US, DirectBill, Plot::Location),
    player("Ebony Group Toronto", CA, DirectBill, Plot::Location),
    player("Fern Distribution Holding", DE, IndirectProvider, Plot::Headquarters),
    player("Fern Distribution Warsaw", PL, IndirectProvider, Plot::Location),
    player("Fern Distribution Paris", FR, IndirectProvider, Plot::Location),
    player("Gorse Trading", GB, IndirectProvider, Plot::Enrolled),
    player("Hazel Wholesale", JP, IndirectProvider, Plot::Enrolled),
    player("Ivy Cloud Brokers", BR, IndirectProvider, Plot::ActionRequired),
    player("Jasmine Supply", IN, IndirectProvider, Plot::Validating),
    player("Kudzu Logistics", AU, IndirectProvider, Plot::ChannelMissing),
    player("Lavender Channel", ZA, IndirectProvider, Plot::Unauthorized),
    player("Myrtle Distribution", US, IndirectProvider, Plot::ChannelExpired),
    player("Nettle Provider", CA, IndirectProvider, Plot::CompetencyMissing),
    player("Olive Aggregation", KW, IndirectProvider, Plot::OptedOut),
    player("Poplar Distribution", DE, IndirectProvider, Plot::ChannelTerminated),
    player("Reed Marketplace", FR, IndirectProvider, Plot::ChannelNotEffective),
    player("Sage Consulting", US, IndirectReseller, Plot::NoSale),
    player("Thyme Business Apps", DE, IndirectReseller, Plot::Enrolled),
    player("Umbrella Pine IT", GB, IndirectReseller, Plot::Enrolled),
    player("Verbena Retail", FR, IndirectReseller, Plot::Invited),
    player("Wisteria Support", JP, IndirectReseller, Plot::Invited),
    player("Yarrow Services", BR, IndirectReseller, Plot::InvitationExpired),
    player("Zinnia Projects", IN, IndirectReseller, Plot::InvitationExpired),
    player("Aspen Helpdesk", AU, IndirectReseller, Plot::Refunded),
    player("Basil Workplace", PL, IndirectReseller, Plot::LostMpn),
    player("Clover Education", ZA, IndirectReseller, Plot::ActionRequired),
    player("Daisy Health IT", CA, IndirectReseller, Plot::Validating),
    player("Echinacea Cloud", KW, IndirectReseller, Plot::MpnInGrace),
    player("Foxglove Print", US, IndirectReseller, Plot::CompetencyExpired),
    player("Gentian Group", DE, IndirectReseller, Plot::Headquarters),
    player("Gentian Hamburg", DE, IndirectReseller, Plot::Location),
    player("Gentian Munich", DE, IndirectReseller, Plot::Location),
    player("Heather Mobile", GB, IndirectReseller, Plot::MpnMissing),
    player("Iris Robotics", FR, IndirectReseller, Plot::Suspended),
    player("Kalmia Startups", US, DirectBill, Plot::FirstDay),
    player("Linden Ventures", DE, DirectBill, Plot::Newcomer),
    player("Magnolia Cloud", US, DirectBill, Plot::SinceLastYear),
    player("Nandina Digital", JP, DirectBill, Plot::SinceLastYear),
    player("Osmanthus Systems", KW, DirectBill, Plot::SinceLastYear),
    player("Jacaranda Works", BR, IndirectReseller, Plot::NoSale),
];

/// The id of the n-th partner, counted from one. The id is fixed, so that examples can name the partner.
pub(super) fn partner_id(n: usize) -> Id {
    let tail = u128::try_from(n).unwrap_or(0);
    Id(uuid::Uuid::from_u128(0x0193_6f2e_4b00_7000_8000_0000_0000_0000 + tail))
}

/// The number in the partner network of the n-th partner.
pub(super) fn mpn_id(n: usize) -> String {
    format!("{}", 4_560_000 + n * 37)
}
