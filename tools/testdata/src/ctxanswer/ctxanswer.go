package ctxanswer

//ctxvet:ok // want `gives no analyzer or no reason and answers nothing: write //ctxvet:ok ANALYZER: REASON`

//ctxvet:ok ctxgo // want `gives no analyzer or no reason`

//ctxvet:ok ctxgo: // want `gives no analyzer or no reason`

//ctxvet:ok ctxgone: joined // want `there is no analyzer ctxgone`

//ctxvet:ok ctxgo: joined by Close
