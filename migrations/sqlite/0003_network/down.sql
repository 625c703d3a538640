DROP TABLE tax_profiles;
DROP TABLE payout_profiles;
DROP TABLE attainments;
DROP TABLE competencies;
DROP TABLE agreement_numbers;
DROP TABLE agreements;
DROP TABLE partner_numbers;
DROP TABLE partners;
