//! What banks say: status reports and statements, written for the payments of a story.

use crate::suite::calculation::text;
use serde_json::Value;

/// What a status report says of a payment.
pub struct Status<'s> {
    pub payment: &'s Value,
    /// The bank's code for what became of the payment.
    pub code: &'s str,
    /// Empty where the bank gives none.
    pub reason: &'s str,
}

/// A status report, pain.002, about payments of a file.
pub fn status_report(id: &str, file: &Value, told: &[Status<'_>]) -> String {
    let payment = |told: &Status<'_>| {
        let reason = match told.reason {
            "" => String::new(),
            code => format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>"),
        };
        format!(
            "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>{}</TxSts>{reason}</TxInfAndSts>",
            text(&told.payment["reference"]),
            told.code
        )
    };
    let payments: String = told.iter().map(payment).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">\
         <CstmrPmtStsRpt><GrpHdr><MsgId>{id}</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{}</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>X</OrgnlPmtInfId>\
         {payments}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>",
        text(&file["message_id"])
    )
}

/// An entry of a statement.
pub struct Booking<'b> {
    pub payment: &'b Value,
    /// The bank's code for what came back; none where the money left.
    pub returned: Option<&'b str>,
}

/// A statement, camt.053, that books the net amounts of payments on a day.
pub fn bank_statement(id: &str, booked_on: &str, bookings: &[Booking<'_>]) -> String {
    let entry = |(n, booking): (usize, &Booking<'_>)| {
        let (direction, returned) = match booking.returned {
            None => ("DBIT", String::new()),
            Some(code) => ("CRDT", format!("<RtrInf><Rsn><Cd>{code}</Cd></Rsn></RtrInf>")),
        };
        let net = &booking.payment["net"];
        format!(
            "<Ntry><Amt Ccy=\"{}\">{}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>{booked_on}</Dt></BookgDt><AcctSvcrRef>{id}-{n}</AcctSvcrRef><BkTxCd/><NtryDtls><TxDtls><Refs>\
             <EndToEndId>{}</EndToEndId></Refs>{returned}</TxDtls></NtryDtls></Ntry>",
            text(&net["currency"]),
            text(&net["amount"]),
            text(&booking.payment["reference"])
        )
    };
    let entries: String = bookings.iter().enumerate().map(entry).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\
         <BkToCstmrStmt><GrpHdr><MsgId>{id}</MsgId><CreDtTm>{booked_on}T06:00:00Z</CreDtTm></GrpHdr><Stmt><Id>{id}</Id>\
         {entries}</Stmt></BkToCstmrStmt></Document>"
    )
}
